"""The HTML of a mail that came in, made harmless, for a page of its own.

Four nets: it is written anew from its words and a few tags, in bounded depth, since the parser of
the next net ends the process on elements nested some thousands deep; then an allow-list (nh3);
``HEADERS`` by which the page loads and runs nothing; and a sandbox by which it belongs to no site.
"""

import html as entities
import re

import nh3
from markupsafe import escape

from app.domain.mail_from_html import tokens

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
"""Goes with every answer that holds what ``clean`` returned."""

LONGEST = 200_000
DEEPEST = 100
"""Characters that are read, and elements open at once; the words of deeper ones stay."""

_KNOWN = (
    "a abbr b blockquote br caption code dd del div dl dt em h1 h2 h3 h4 h5 h6 hr i ins kbd li ol "
    "p pre q s samp small span strong sub sup table tbody td tfoot th thead tr u ul"
)
TAGS = frozenset(_KNOWN.split())
_GONE = frozenset(
    ("head", "template", "object", "noembed", "noframes", "noscript", "svg", "math", "select")
)
"""They go with all that is in them; of other unknown elements the words stay."""

_VOID = frozenset({"br", "hr"})
_ENDS = {
    "p": {"p"},
    "li": {"p", "li"},
    "dt": {"p", "dt", "dd"},
    "dd": {"p", "dt", "dd"},
    "td": {"p", "td", "th"},
    "th": {"p", "td", "th"},
    "tr": {"p", "td", "th", "tr"},
}
"""What the start of an element ends, where its own end was left out."""

_HREF = re.compile(r"\bhref\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))", re.IGNORECASE)
_SCHEMES = frozenset({"http", "https", "mailto"})


def clean(html: str) -> str:
    """The harmless part of a mail's HTML, itself HTML. Cleaning it again changes nothing."""
    writer = _Writer()
    for tag, attributes, words in tokens(html[:LONGEST]):
        if words:
            writer.words(entities.unescape(words))
        elif tag.startswith("/"):
            writer.end(tag[1:])
        else:
            writer.start(tag, attributes)
    if len(html) > LONGEST:
        writer.rest_is_left_out()
    return nh3.clean(
        writer.done(),
        tags=set(TAGS),
        attributes={"a": {"href"}},
        url_schemes=set(_SCHEMES),
        link_rel="nofollow noopener noreferrer",
    )


class _Writer:
    """Writes tags that are known, each closed in its place, and everything else as words."""

    def __init__(self) -> None:
        self.out: list[str] = []
        self.open: list[str] = []
        self.gone: list[str] = []

    def words(self, words: str) -> None:
        """Text, whatever it looks like."""
        if not self.gone:
            self.out.append(str(escape(words.replace("\x00", ""))))

    def start(self, tag: str, attributes: str) -> None:
        """An element begins, unless it is unknown or too deep."""
        if tag in _GONE and len(self.gone) < DEEPEST:
            self.gone.append(tag)
        if self.gone or tag not in TAGS:
            return
        while self.open and self.open[-1] in _ENDS.get(tag, ()):
            self._close()
        if tag in _VOID:
            self.out.append(f"<{tag}>")
        elif len(self.open) < DEEPEST:
            self.out.append(f"<{tag}{_link(attributes) if tag == 'a' else ''}>")
            self.open.append(tag)

    def end(self, tag: str) -> None:
        """An element ends, with all that was left open in it."""
        if self.gone:
            if tag == self.gone[-1]:
                self.gone.pop()
        elif tag in self.open:
            while self._close() != tag:
                pass

    def rest_is_left_out(self) -> None:
        """Say so below what there is."""
        self.done()
        self.out.append("<hr><p>It goes on; the rest is too long to be shown here.</p>")

    def done(self) -> str:
        """All of it, closed."""
        while self.open:
            self._close()
        return "".join(self.out)

    def _close(self) -> str:
        tag = self.open.pop()
        self.out.append(f"</{tag}>")
        return tag


def _link(attributes: str) -> str:
    """Links say in full where they lead: one without a scheme would lead back to us."""
    found = _HREF.search(attributes)
    if found is None:
        return ""
    address = entities.unescape(found[1] or found[2] or found[3] or "").strip()
    scheme, colon, _ = address.partition(":")
    known = colon and scheme.lower() in _SCHEMES and address.isprintable()
    return f' href="{escape(address)}"' if known else ""
