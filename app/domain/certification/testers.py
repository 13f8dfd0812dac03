"""Testers: whose reports are believed here, by the key they sign with; one of them is ours."""

import base64
import binascii
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from app.domain import audit
from app.domain.audit import Actor, Change
from app.domain.errors import Conflict, Invalid, Refused
from app.extensions import change, db
from app.gateways.locker import Locked, Locker
from app.models import Tester, User
from app.models.base import new_id
from runner.certify import envelope

NAME, NOTE = 80, 300
_PURPOSE = "certification"
LOCKED = (
    "this installation's own key does not open: put the SECRET_KEY it was locked with among the "
    "older ones, or have an operator revoke the key, so that another one is made"
)


def pin(
    name: str, public_key: str, note: str, *, author: User | None, by: Actor, now: datetime
) -> Tester:
    """Believe what this key signs, from now on and before.

    Raises:
        Invalid: a name, a key or a note that does not do.
        Refused: the key stands here already, revoked or not; a revoked one stays so for good.
    """
    said, remark = " ".join(name.split()), " ".join(note.split())
    if not 1 <= len(said) <= NAME:
        raise Invalid(f"Name whoever holds the key, in 1 to {NAME} characters.", "name")
    if len(remark) > NOTE:
        raise Invalid(f"Keep it within {NOTE} characters.", "note")
    key = _clean_key(public_key)
    known = by_key(key)
    if known is not None:
        how = "revoked" if known.revoked_at else "pinned"
        raise Refused(f"This key is {how} here already, as {known.name}.")
    made = Tester(name=said, public_key=key, note=remark, created_at=now)
    made.created_by = author.id if author else None
    if not _kept(made):
        raise Conflict("Somebody pinned it just now; look again.")
    told = {"name": made.name, "public_key": made.public_key, "note": made.note}
    _record("tester.pin", made, audit.changes_between({}, told), by, now)
    return made


def revoke(tester: Tester, *, by: Actor, now: datetime) -> None:
    """Believe nothing of it any more, whenever it was signed. Raises ``Conflict``: it is so."""
    mine = update(Tester).where(Tester.id == tester.id, Tester.revoked_at.is_(None))
    if change(mine.values(revoked_at=now)) != 1:
        raise Conflict("It is revoked already; look again.")
    db.session.refresh(tester)
    _record("tester.revoke", tester, [Change("revoked_at", None, now)], by, now)


def everybody() -> list[Tester]:
    """All of them, those that are believed first."""
    query = select(Tester).order_by(Tester.revoked_at.is_not(None), Tester.name, Tester.id)
    return list(db.session.scalars(query))


def find(tester_id: str) -> Tester | None:
    """One of them."""
    return db.session.get(Tester, tester_id)


def by_key(public_key: str) -> Tester | None:
    """Whose key it is."""
    found: Tester | None = db.session.scalar(select(Tester).where(Tester.public_key == public_key))
    return found


def own(name: str, *, locker: Locker, by: Actor, now: datetime) -> tuple[Tester, Ed25519PrivateKey]:
    """The installation itself and its key, which is made at its first use and locked.

    Raises:
        Locked: it does not open; ``LOCKED`` says what to do.
    """
    found = _ours()
    if found is None:
        key = Ed25519PrivateKey.generate()
        made = Tester(
            id=new_id("tst"),
            name=name[:NAME],
            public_key=envelope.public_of(key),
            note="Made by this installation, for what it certifies itself.",
            own=True,
            created_at=now,
        )
        made.sealed = locker.close(_PURPOSE, made.id, key.private_bytes_raw())
        if _kept(made):
            told = {"name": made.name, "public_key": made.public_key, "sealed": "changed"}
            _record("tester.make_own", made, audit.changes_between({}, told), by, now)
            return made, key
        found = _ours()
    if found is None or found.sealed is None:
        raise Locked
    opened = locker.open(_PURPOSE, found.id, found.sealed)
    return found, Ed25519PrivateKey.from_private_bytes(opened)


def _ours() -> Tester | None:
    query = select(Tester).where(Tester.own.is_(True), Tester.revoked_at.is_(None))
    found: Tester | None = db.session.scalar(query)
    return found


def _clean_key(text: str) -> str:
    """The key as it is written everywhere. Raises ``Invalid``."""
    try:
        raw = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != 32:
        raise Invalid(
            "An Ed25519 public key is 32 bytes in base64, 44 characters ending in “=”. It stands "
            "in each report as public_key.",
            "public_key",
        )
    return base64.b64encode(raw).decode()


def _kept(tester: Tester) -> bool:
    """Two may write at once: the database keeps one."""
    try:
        with db.session.begin_nested():
            db.session.add(tester)
    except IntegrityError:
        return False
    return True


def _record(action: str, tester: Tester, changes: list[Change], by: Actor, now: datetime) -> None:
    audit.record(
        action,
        by=by,
        now=now,
        target_id=tester.id,
        target_label=tester.name,
        changes=changes,
    )
