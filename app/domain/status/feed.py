"""Incidents as an Atom feed (RFC 4287) and as a small JSON summary."""

import base64
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from xml.etree import ElementTree as ET

from app.domain.status.components import Standing
from app.models import Incident
from runner.protocol import to_plain

ATOM = "http://www.w3.org/2005/Atom"
_SEED = uuid.uuid5(uuid.NAMESPACE_URL, "https://plutarc.example/status")
_ALPHABET = 26


def atom(found: Sequence[Incident], *, title: str, base_url: str, born: datetime) -> bytes:
    """The feed: one entry per incident, newest first, with all its updates.

    Args:
        found: incidents, newest first.
        title: of the feed.
        base_url: where the status page is.
        born: what a feed without entries says of its age.
    """
    ET.register_namespace("", ATOM)
    feed = ET.Element(_name("feed"))
    _text(feed, "id", f"urn:uuid:{uuid.uuid5(_SEED, base_url)}")
    _text(feed, "title", title)
    _text(feed, "updated", _stamp(max(map(_changed, found), default=born)))
    _link(feed, "self", f"{base_url}/status/feed.atom")
    _link(feed, "alternate", f"{base_url}/status")
    _text(ET.SubElement(feed, _name("author")), "name", title)
    for incident in found:
        _entry(feed, incident, base_url)
    written: bytes = ET.tostring(feed, encoding="utf-8", xml_declaration=True)
    return written


def summary(standings: Sequence[Standing], found: Sequence[Incident]) -> dict[str, Any]:
    """How each component does, and the incidents that are open."""
    return {
        "components": [
            {"key": it.key, "kind": it.kind, "title": it.title, "condition": it.condition}
            for it in standings
        ],
        "incidents": [
            {
                "id": it.id,
                "title": it.title,
                "state": it.state,
                "impact": it.impact,
                "components": sorted(part.component_key for part in it.components),
                "began_at": to_plain(it.began_at),
            }
            for it in found
        ],
    }


def _entry(feed: ET.Element, incident: Incident, base_url: str) -> None:
    entry = ET.SubElement(feed, _name("entry"))
    _text(entry, "id", f"urn:uuid:{_uuid(incident.id)}")
    _text(entry, "title", f"{incident.title} ({incident.state})")
    _text(entry, "published", _stamp(incident.created_at))
    _text(entry, "updated", _stamp(_changed(incident)))
    _link(entry, "alternate", f"{base_url}/status/incidents/{incident.id}")
    for part in incident.components:
        ET.SubElement(entry, _name("category"), term=part.component.title)
    told = (f"{_stamp(it.created_at)} {it.state}\n{it.body}" for it in incident.updates)
    _text(entry, "content", "\n\n".join(told)).set("type", "text")


def _changed(incident: Incident) -> datetime:
    return max((it.created_at for it in incident.updates), default=incident.created_at)


def _uuid(public_id: str) -> uuid.UUID:
    """The 128 bits of a public id, which stay whatever the site is called."""
    letters = public_id.rpartition("_")[2].upper()
    return uuid.UUID(bytes=base64.b32decode(letters.ljust(_ALPHABET + 6, "=")))


def _name(tag: str) -> str:
    return f"{{{ATOM}}}{tag}"


def _link(parent: ET.Element, relation: str, address: str) -> None:
    ET.SubElement(parent, _name("link"), rel=relation, href=address)


def _text(parent: ET.Element, tag: str, text: str) -> ET.Element:
    child = ET.SubElement(parent, _name(tag))
    child.text = "".join(letter if _allowed(letter) else "\ufffd" for letter in text)
    return child


def _allowed(letter: str) -> bool:
    """What XML 1.0 can hold."""
    number = ord(letter)
    good = 0x20 <= number <= 0xD7FF or 0xE000 <= number <= 0xFFFD or number >= 0x10000
    return letter in "\t\n\r" or good


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
