"""One version of a strategy as one YAML file, to be kept, read and brought elsewhere."""

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import Any

import yaml

from app.domain import code_rules, strategies, tags
from app.domain.errors import Invalid
from app.domain.strategy_changes import ROLES
from app.models import StrategyVersion
from runner.strategy import COMPONENTS

_FAMILY = "plutarc strategy "
FORMAT = f"{_FAMILY}1"
LARGEST = 48 * 1024
"""Bytes of a file; the largest rules that are valid need half of them."""
_KEYS = ("format", "name", "summary", "tags", "rules", "code")
_ENTRY = re.compile(r"(?P<section>[a-z]+)\[(?P<place>[0-9]+)\](?:\.params)?(?:\.(?P<name>.+))?")
_LONGEST_SIZE = 30
_DEEPEST = 8
_MOST_FAULTS = 40


@dataclass(frozen=True)
class StrategyFile:
    """What a file holds; ``rules`` are such as a runner can trade."""

    name: str
    summary: str
    rules: dict[str, Any]
    tags: tuple[str, ...] = ()


class _Block(str):
    """A text that is written line by line."""

    __slots__ = ()


class _Dumper(yaml.SafeDumper):  # type: ignore[misc] # yaml has no types
    """Writes sources as they were typed."""


_Dumper.add_representer(
    _Block, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|")
)


class UnreadableFile(Invalid):
    """A file that is none of ours, or has faults; each of ``faults`` says where and what to do."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__(" ".join(faults), "file")
        self.faults = faults


def written(version: StrategyVersion) -> str:
    """The version as text; ``read`` gives the same rules back."""
    strategy = version.strategy
    content: dict[str, Any] = {
        "format": FORMAT,
        "name": strategy.name,
        "summary": strategy.summary,
        # Without any, the file can be read by those who know of none.
        **({"tags": strategy.tag_names} if strategy.tag_names else {}),
    }
    # All rules of a code strategy follow from its source.
    if code_rules.is_code(version.rules):
        content["code"] = _Block(code_rules.source_of(version.rules))
    else:
        content["rules"] = version.rules
    text: str = yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    return text


def read(content: bytes) -> StrategyFile:
    """What a file says. Raises ``UnreadableFile``."""
    if len(content) > LARGEST:
        raise UnreadableFile([f"A file has at most {LARGEST // 1024} KiB; this one is larger."])
    found = _plain(content)
    told = str(found.get("format")) if isinstance(found, dict) else ""
    if told.startswith(_FAMILY) and told != FORMAT:
        found_here = f'It is of format "{told[:60]}"; this installation reads "{FORMAT}".'
        raise UnreadableFile([f"{found_here} A newer release wrote it: update this one first."])
    if told != FORMAT:
        raise UnreadableFile([f'Its first line must be "format: {FORMAT}".'])
    faults = [f"{str(key)[:40]}: unknown setting; remove it." for key in found if key not in _KEYS]
    name, summary = found.get("name"), found.get("summary", "")
    if not _is_text(name, 80) or not str(name).strip():
        faults.append("name: must be a text of 1 to 80 characters.")
    if not _is_text(summary, 300):
        faults.append("summary: must be a text of at most 300 characters.")
    faults += _tag_faults(found.get("tags", []))
    rules: Any = found.get("rules")
    if "code" in found and rules is None:
        rules = _declared(found["code"], faults)
    else:
        faults += _faults(rules)
    if faults:
        raise UnreadableFile(faults[:_MOST_FAULTS])
    names = tuple(dict.fromkeys(found.get("tags", ())))
    return StrategyFile(str(name), str(summary), rules, names)


def _tag_faults(names: Any) -> list[str]:
    if not isinstance(names, list):
        return ["tags: must be a list of words."]
    faults = [
        f"tags: “{str(name)[: tags.LONGEST]}” is no tag; use small letters, digits and blanks, at "
        f"most {tags.LONGEST}."
        for name in names
        if not tags.is_tag(name)
    ]
    if len(names) > tags.MOST:
        faults.append(f"tags: use at most {tags.MOST}.")
    return faults


def _declared(source: Any, faults: list[str]) -> dict[str, Any]:
    """The rules that a file's source declares."""
    try:
        return code_rules.rules_of(code_rules.clean(source if isinstance(source, str) else ""))
    except code_rules.InvalidSource as error:
        faults += [f"code, {code_rules.told(fault)}" for fault in error.faults]
    return {}


def _plain(content: bytes) -> Any:
    try:
        text = content.decode("utf-8")
        _survey(text)
        return yaml.safe_load(text)
    except UnicodeDecodeError:
        raise UnreadableFile(["It is no UTF-8 text. Save it as such, and as YAML."]) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f" in line {mark.line + 1}" if mark else ""
        raise UnreadableFile([f"It is no YAML: {error.problem}{where}."]) from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise UnreadableFile(["It is no YAML that can be read. Export one to compare."]) from None


def _survey(text: str) -> None:
    """Refuse what would take long or grow, while it is read, and what would lose a part."""
    depth = 0
    for event in yaml.parse(text, yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise UnreadableFile(["An alias (*name) is not allowed; write out what it stands for."])
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise UnreadableFile(["It is nested too deeply. Export a strategy to compare."])
    _no_key_twice(yaml.compose(text, yaml.SafeLoader))


def _no_key_twice(node: Any) -> None:
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _no_key_twice(item)
    if isinstance(node, yaml.MappingNode):
        names = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        twice = [name for name, count in Counter(names).items() if count > 1]
        if twice:
            raise UnreadableFile([f"{twice[0][:40]}: stands twice; remove one."])
        for _, item in node.value:
            _no_key_twice(item)


def _faults(rules: Any) -> list[str]:
    found = [f"{_place(path, rules)}: {text}" for path, text in strategies.faults(rules).items()]
    if not found and len(rules["sizing"]["value"]) > _LONGEST_SIZE:
        found = [f"sizing.value: write a number of at most {_LONGEST_SIZE} digits."]
    return found


def _place(path: str, rules: Any) -> str:
    """A path as one reads it: the component's title and place, the parameter's title."""
    match = _ENTRY.fullmatch(path)
    if match is None or match["section"] not in ROLES:
        return path or "rules"
    entry = rules[match["section"]][int(match["place"])]
    kind = entry.get("kind") if isinstance(entry, dict) else None
    spec = COMPONENTS.get(kind) if isinstance(kind, str) else None
    words = f"{ROLES[match['section']]} {int(match['place']) + 1}"
    if spec is None:
        return words
    titles = {item.name: item.title for item in spec.parameters}
    name = match["name"]
    return f"{words}, {spec.title}" + (f", {titles.get(name, name)}" if name else "")


def _is_text(value: Any, most: int) -> bool:
    """Whether it is a text that a database takes: no control characters, no half letters."""
    if not isinstance(value, str) or len(value) > most:
        return False
    return not any(unicodedata.category(letter) in ("Cc", "Cs") for letter in value)
