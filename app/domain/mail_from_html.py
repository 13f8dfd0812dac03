"""A mail's HTML as plain text: lines as they are seen, what is quoted marked with ``>``."""

import html as entities
import re
from collections import Counter
from collections.abc import Iterator

_SILENT = frozenset({"head", "template", "noscript", "svg", "object"})
_RAW = frozenset({"script", "style", "title", "textarea", "xmp", "iframe"})
"""Up to the tag that ends them nothing in them is a tag."""

_VOID = frozenset({"br", "hr", "img", "input", "meta", "link", "area", "base", "col", "wbr"})
_BLOCK_TAGS = (
    "address article aside blockquote center dd div dl dt fieldset figure footer form h1 h2 h3 h4 "
    "h5 h6 header li main nav ol p pre section table tbody td th tr ul"
)
_BLOCKS = frozenset(_BLOCK_TAGS.split())
_QUOTES = re.compile(r"\b(?:yahoo_quoted|protonmail_quote|tutanota_quote|zmail_extra)\b")
_DEEPEST = 200
"""Open elements that are followed; deeper ones are read and not remembered."""

_MOST_MARKS = 20
"""Quotes within quotes that are told apart."""

_TAG = re.compile(r"</?([a-zA-Z][a-zA-Z0-9:-]{0,30})")
_ANGLES = re.compile("<+")
_CLASS = re.compile(r"\bclass\s*=\s*[\"']?([^\"'>]{0,300})", re.IGNORECASE)


def text_of_html(html: str) -> str:
    """What a reader sees of it. Never raises; takes time in proportion to its length.

    The standard library's parser takes quadratic time for tags that never end.
    """
    reader = _Reader()
    for tag, attributes, words in tokens(html):
        if words:
            reader.data(entities.unescape(words))
        elif tag.startswith("/"):
            reader.end(tag[1:])
        else:
            reader.start(tag, attributes)
    return reader.text()


def tokens(html: str) -> Iterator[tuple[str, str, str]]:
    """Tags with their attributes, and the words between them, in order."""
    at = 0
    while (found := html.find("<", at)) >= 0:
        if found > at:
            yield "", "", html[at:found]
        match = _TAG.match(html, found)
        if match is None:
            skipped, at = _no_tag(html, found)
            if skipped:
                yield "", "", skipped
            continue
        end = html.find(">", found)
        if end < 0:
            return
        name = match[1].lower()
        at = end + 1
        if html[found + 1] == "/":
            yield f"/{name}", "", ""
            continue
        yield name, html[match.end() : end][:2000], ""
        at = _end_of_raw(html, name, at)
    if html[at:]:
        yield "", "", html[at:]


def _end_of_raw(html: str, name: str, at: int) -> int:
    """Where tags begin again after the start of an element: at once, but for scripts and such."""
    if name not in _RAW:
        return at
    closed = re.compile(f"</{name}", re.IGNORECASE).search(html, at)
    return len(html) if closed is None else closed.start()


def _no_tag(html: str, at: int) -> tuple[str, int]:
    """What a ``<`` that begins no tag is: words, a comment, a declaration; and what follows."""
    if html.startswith("<!--", at):
        end, length = html.find("-->", at + 4), 3
    elif html[at + 1 : at + 2] in ("!", "?", "/"):
        end, length = html.find(">", at), 1
    else:
        run = _ANGLES.match(html, at)
        begin = at + (max(run.end() - at - 1, 1) if run else 1)  # the last may begin a tag
        end = html.find("<", begin)
        end = len(html) if end < 0 else end
        return html[at:end], end
    return "", len(html) if end < 0 else end + length


def _quotes(attributes: str) -> bool:
    found = _CLASS.search(attributes) if attributes else None
    return found is not None and _QUOTES.search(found[1]) is not None


class _Reader:
    """Collects lines; a stack of open elements says how deep in quotes they stand."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.line: list[str] = []
        self.open: list[tuple[str, bool, bool]] = []
        self.times: Counter[str] = Counter()
        self.silent = self.quoted = self.preformatted = 0

    def start(self, tag: str, attributes: str) -> None:
        """An element begins."""
        if tag == "br":
            self._break(keep_empty=True)
        elif tag == "hr":
            self._break()
        if tag in _BLOCKS:
            self._break()
        if tag == "li":
            self.line.append("- ")
        if tag in _VOID or len(self.open) >= _DEEPEST:
            return
        quote = tag == "blockquote" or _quotes(attributes)
        silent = tag in _SILENT or tag in _RAW
        self.open.append((tag, quote, silent))
        self.times[tag] += 1
        self.quoted += quote
        self.silent += silent
        self.preformatted += tag == "pre"

    def end(self, tag: str) -> None:
        """An element ends, and what was left open in it."""
        if tag in _BLOCKS:
            self._break()
        if tag == "p" and not self.silent:
            self._gap()
        if not self.times[tag]:
            return
        depth = next(at for at in range(len(self.open) - 1, -1, -1) if self.open[at][0] == tag)
        for name, quote, silent in self.open[depth:]:
            self.times[name] -= 1
            self.quoted -= quote
            self.silent -= silent
            self.preformatted -= name == "pre"
        del self.open[depth:]

    def data(self, data: str) -> None:
        """Words between tags."""
        if self.silent:
            return
        if self.preformatted:
            first, *others = data.split("\n")
            self.line.append(first)
            for other in others:
                self._break(keep_empty=True)
                self.line.append(other)
            return
        words = re.sub(r"[ \t\r\n\f]+", " ", data)
        if words != " " or self.line:
            self.line.append(words)

    def text(self) -> str:
        """All lines, with no more than one blank between two."""
        self._break()
        return re.sub(r"\n(?:[> ]*\n){2,}", "\n\n", "\n".join(self.lines)).strip("\n")

    def _break(self, *, keep_empty: bool = False) -> None:
        told = "".join(self.line)
        told = told.rstrip() if self.preformatted else told.strip()
        self.line = []
        if told or keep_empty:
            marks = ">" * min(self.quoted, _MOST_MARKS)
            self.lines.append(f"{marks} {told}".rstrip() if marks else told)

    def _gap(self) -> None:
        if self.lines and self.lines[-1].strip("> "):
            self.lines.append(">" * min(self.quoted, _MOST_MARKS))
