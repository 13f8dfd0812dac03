"""Signed checkpoints as text: where one audit chain stood at one moment. Pure.

A line of JSON each; what is signed is ``tag, chain, seq, hash, moment``. Kept by owners and in the
storage, they tell a chain that was written anew from the one that was there before.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from app.domain.audit_chain import Anchor
from app.gateways import signing
from app.gateways.signing import Signer

FORMAT = "plutarc checkpoint 1"
_TAG = b"plutarc checkpoint v1"
_FIELDS = {"chain": str, "seq": int, "hash": str, "made_at": str, "key_id": str, "signature": str}


class NoCheckpoint(ValueError):
    """A text is no checkpoint of a version known here."""


@dataclass(frozen=True)
class Checkpoint:
    """One signed statement; ``made_at`` is the moment as text, just as it was signed."""

    chain: str
    seq: int
    hash: str
    made_at: str
    key_id: str
    signature: str

    @classmethod
    def make(cls, chain: str, link: Anchor, made_at: str, signer: Signer) -> "Checkpoint":
        """State and sign where a chain stands."""
        signature = signer.sign(_statement(chain, link, made_at))
        return cls(chain, link.seq, link.hash, made_at, signer.key_id, signature)

    @classmethod
    def from_plain(cls, found: Any) -> "Checkpoint":
        """Read one out of JSON. Raises ``NoCheckpoint``."""
        if not isinstance(found, dict) or found.keys() != _FIELDS.keys():
            raise NoCheckpoint("not a checkpoint of a version known here")
        if any(type(found[name]) is not kind for name, kind in _FIELDS.items()):
            raise NoCheckpoint("not a checkpoint of a version known here")
        return cls(**found)

    @property
    def link(self) -> Anchor:
        """The link that it is about."""
        return Anchor(self.seq, self.hash)

    def line(self) -> str:
        """The line of a file of checkpoints."""
        content = {"format": FORMAT, **self.__dict__}
        return json.dumps(content, separators=(",", ":")) + "\n"

    def signed_by(self, public_keys: Sequence[str]) -> bool:
        """Whether one of these keys signed it."""
        said = _statement(self.chain, self.link, self.made_at)
        return any(signing.signed(said, self.signature, key) for key in public_keys)


def read(lines: Iterable[str]) -> Iterator[Checkpoint]:
    """The checkpoints of a file, as they come. Raises ``NoCheckpoint`` at a line that is none."""
    for number, text in enumerate(lines, start=1):
        if not text.strip():
            continue
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict) or found.pop("format", None) != FORMAT:
            raise NoCheckpoint(f"Line {number} is no checkpoint; name a file of checkpoints.")
        yield Checkpoint.from_plain(found)


def _statement(chain: str, link: Anchor, made_at: str) -> bytes:
    parts = (chain, str(link.seq), link.hash, made_at)
    return b"\x00".join([_TAG, *(part.encode() for part in parts)])
