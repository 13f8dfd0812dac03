"""Addresses to answer to: ``reply+<token>@<domain>``, one per ticket, person and purpose.

A token is a claim, never a proof: whoever writes to it must also prove to be its holder. It is 128
bits made of the row's random id and a key, so that the same letter sent twice carries the same
address while the database alone, which keeps the SHA-256, gives none away.
"""

import base64
import hashlib
import hmac
import re
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, select, update

from app.extensions import change, db
from app.models import Contact, ReplyToken, Ticket, TokenPurpose, User
from app.models.base import new_id

LIFE = timedelta(days=365)
RENEWED = timedelta(days=180)
"""A token with less of its life left is not given out again."""

_LOCAL = re.compile(r"reply\+([a-z2-7]{26})", re.ASCII)


def issue(
    ticket: Ticket, holder: User | Contact, purpose: TokenPurpose, now: datetime, key: str
) -> str:
    """The token to print on a letter to ``holder``: one that is good already, or a new one.

    Call it where all workspaces are open: its table belongs to none.
    """
    for known in db.session.scalars(_living(ticket, holder, now).where(_for(purpose))):
        token = _token(known.id, key)
        fresh = known.expires_at > now + RENEWED
        if fresh and hmac.compare_digest(known.token_hash, _digest(token)):
            return token
    row = ReplyToken(
        id=new_id("rpt"),
        ticket_id=ticket.id,
        holder_id=holder.id if isinstance(holder, User) else None,
        contact_id=holder.id if isinstance(holder, Contact) else None,
        purpose=purpose,
        created_at=now,
        expires_at=now + LIFE,
    )
    token = _token(row.id, key)
    row.token_hash = _digest(token)
    db.session.add(row)
    db.session.flush()
    return token


def find(token: str, now: datetime) -> ReplyToken | None:
    """The row of a token that is still good."""
    query = select(ReplyToken).where(
        ReplyToken.token_hash == _digest(token.lower()),
        ReplyToken.revoked_at.is_(None),
        ReplyToken.expires_at > now,
    )
    found: ReplyToken | None = db.session.scalar(query)
    return found


def revoke(token: ReplyToken, now: datetime) -> bool:
    """End one token, e.g. one that a stranger wrote to; ``False`` if it was over."""
    mine = update(ReplyToken).where(ReplyToken.id == token.id, ReplyToken.revoked_at.is_(None))
    ended = change(mine.values(revoked_at=now)) == 1
    db.session.refresh(token)
    return ended


def rotate(ticket: Ticket, holder: User | Contact, now: datetime) -> int:
    """End every token of one person on one ticket; their next letter has a new one."""
    living = _living(ticket, holder, now).with_only_columns(ReplyToken.id)
    mine = update(ReplyToken).where(ReplyToken.id.in_(living))
    return change(mine.values(revoked_at=now))


def address(token: str, domain: str) -> str:
    """Where an answer goes."""
    return f"reply+{token}@{domain}"


def address_token(address: str, domain: str) -> str | None:
    """The token in an address of ours, whatever its case; ``None`` if it is none."""
    local, _, host = address.strip().lower().rpartition("@")
    found = _LOCAL.fullmatch(local)
    return found[1] if found and domain and host == domain.lower() else None


def _of(holder: User | Contact) -> ColumnElement[bool]:
    mine = ReplyToken.holder_id if isinstance(holder, User) else ReplyToken.contact_id
    return mine == holder.id


def _for(purpose: TokenPurpose) -> ColumnElement[bool]:
    return ReplyToken.purpose == purpose


def _living(ticket: Ticket, holder: User | Contact, now: datetime) -> Select[ReplyToken]:
    return (
        select(ReplyToken)
        .where(
            ReplyToken.ticket_id == ticket.id,
            _of(holder),
            ReplyToken.revoked_at.is_(None),
            ReplyToken.expires_at > now,
        )
        .order_by(ReplyToken.expires_at.desc())
    )


def _token(row_id: str, key: str) -> str:
    proof = hmac.new(key.encode(), f"reply {row_id}".encode(), hashlib.sha256).digest()[:16]
    return base64.b32encode(proof).decode().rstrip("=").lower()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
