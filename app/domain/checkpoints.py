"""Signed checkpoints of audit chains: which are due, making them, and the letter to owners.

``look`` follows a chain from its last checkpoint, ``keep`` signs where it stands and keeps that as
a row; what the storage lacks is then appended there by the caller. All may run twice: a chain that
stands where its last checkpoint was made is not signed again, a stored line is not stored again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import exists, func, select

from app.domain import audit, audit_rows, checkpoint_file, mail, notices, outbox, owners
from app.domain.audit import Actor
from app.domain.audit_chain import BEGINNING, Anchor, Problem, Walk
from app.domain.checkpoint_file import Checkpoint
from app.extensions import db
from app.gateways.files import Files
from app.gateways.signing import Signer
from app.models import (
    AuditCheckpoint,
    AuditHead,
    Mail,
    NoticeKind,
    Workspace,
)
from runner.protocol import to_plain

EVERY = timedelta(hours=24)
LETTER = "audit_checkpoint"
LETTER_EVERY = timedelta(days=7)
QUEUE, JOB = "fleet", "sign_checkpoint"


@dataclass(frozen=True)
class Look:
    """A chain as it was found: where it ends, and what is wrong with it if anything is."""

    chain: str
    end: Anchor
    problem: Problem | None


def file_of(chain: str) -> str:
    """The name of a chain's file in the storage."""
    return f"audit/{chain}.jsonl"


def ask_due(now: datetime) -> int:
    """Ask for a checkpoint of every workspace whose log moved since the last one, once a day."""
    recent = exists().where(
        AuditCheckpoint.chain == AuditHead.chain,
        (AuditCheckpoint.seq >= AuditHead.seq) | (AuditCheckpoint.made_at > now - EVERY),
    )
    due = select(AuditHead.chain).join(Workspace, Workspace.id == AuditHead.chain).where(~recent)
    chains = list(db.session.scalars(due))
    for chain in chains:
        ask(chain, now)
    return len(chains)


def ask(chain: str, now: datetime) -> None:
    """Have the worker make a checkpoint of a workspace's chain, after this transaction."""
    outbox.put(QUEUE, JOB, now=now, workspace_id=chain, chain=chain)


def ask_for(workspace: Workspace, *, by: Actor, now: datetime) -> None:
    """A person wants one now; that they asked is the last event it covers, or one of them."""
    ask(workspace.id, now)
    audit.record(
        "audit.checkpoint",
        by=by,
        now=now,
        workspace_id=workspace.id,
        target_id=workspace.id,
        target_label=workspace.name,
    )


def look(chain: str) -> Look | None:
    """Follow a chain from its last checkpoint to its end. Reads only; it may take seconds."""
    head = db.session.get(AuditHead, chain, populate_existing=True)
    if head is None:
        return None
    kept = newest(chain)
    after = kept.link if kept else BEGINNING
    return Look(chain, Anchor(head.seq, head.hash), _follow(head, after))


def keep(found: Look, signer: Signer, now: datetime) -> list[Checkpoint]:
    """Sign where a sound chain ended, if it moved since; all of its checkpoints.

    A chain that does not verify is not signed: its owners are alarmed.
    """
    kept = of_chain(found.chain)
    if found.problem is not None:
        _alarm(found.chain, found.problem, now)
    elif not kept or kept[-1].seq < found.end.seq:
        made = Checkpoint.make(found.chain, found.end, str(to_plain(now)), signer)
        db.session.add(_row(made, now))
        kept.append(made)
        _tell_owners(made, now)
    return kept


def of_chain(chain: str) -> list[Checkpoint]:
    """The checkpoints of a chain, oldest first, from the database."""
    query = select(AuditCheckpoint).where(AuditCheckpoint.chain == chain)
    return [_checkpoint(row) for row in db.session.scalars(query.order_by(AuditCheckpoint.seq))]


def newest(chain: str) -> Checkpoint | None:
    """The last checkpoint of a chain, from the database."""
    query = select(AuditCheckpoint).where(AuditCheckpoint.chain == chain)
    row = db.session.scalar(query.order_by(AuditCheckpoint.seq.desc()).limit(1))
    return _checkpoint(row) if row else None


def stored(storage: Files, chain: str) -> list[Checkpoint]:
    """The checkpoints of a chain that the storage keeps. Raises ``NoCheckpoint`` for rubbish."""
    text = (storage.read(file_of(chain)) or b"").decode("utf-8", "replace")
    return list(checkpoint_file.read(text.splitlines()))


def complete(storage: Files, chain: str, kept: Sequence[Checkpoint]) -> int:
    """Append to the file of a chain what it lacks of ``kept``; how many were lacking."""
    known = {item.seq for item in stored(storage, chain)}
    missing = [item for item in kept if item.seq not in known]
    if missing:
        storage.append(file_of(chain), "".join(item.line() for item in missing).encode())
    return len(missing)


def _follow(head: AuditHead, after: Anchor) -> Problem | None:
    walk = Walk(head.chain, after=after)
    for event, _ in audit_rows.stream(head.chain, head.seq, after=after.seq):
        problem = walk.step(event)
        if problem is not None:
            return problem
    return walk.end(Anchor(head.seq, head.hash))


def _checkpoint(row: AuditCheckpoint) -> Checkpoint:
    return Checkpoint(
        chain=row.chain,
        seq=row.seq,
        hash=row.hash,
        made_at=str(to_plain(row.made_at)),
        key_id=row.key_id,
        signature=row.signature,
    )


def _row(made: Checkpoint, now: datetime) -> AuditCheckpoint:
    return AuditCheckpoint(
        chain=made.chain,
        seq=made.seq,
        hash=made.hash,
        made_at=now,
        signature=made.signature,
        key_id=made.key_id,
    )


def _tell_owners(made: Checkpoint, now: datetime) -> None:
    """One letter a week is enough to compare with: each checkpoint proves all before it."""
    newest = select(func.max(Mail.created_at)).where(
        Mail.workspace_id == made.chain, Mail.letter == LETTER
    )
    last = db.session.scalar(newest)
    if last is not None and last > now - LETTER_EVERY:
        return
    workspace = db.session.get_one(Workspace, made.chain)
    for owner in owners.active(workspace):
        mail.post(
            LETTER,
            to=owner.email,
            name=owner.name,
            now=now,
            workspace_id=workspace.id,
            workspace=workspace.name,
            seq=made.seq,
            hash=made.hash,
            made_at=made.made_at,
            key_id=made.key_id,
            line=made.line().strip(),
        )


def _alarm(chain: str, problem: Problem, now: datetime) -> None:
    workspace = db.session.get_one(Workspace, chain)
    notices.tell(
        [owner.id for owner in owners.active(workspace)],
        "The audit log does not verify",
        key=f"audit {chain} {problem.seq}",
        now=now,
        body=f"Event {problem.seq} is {problem.kind}: {problem.detail}.",
        path=f"/w/{chain}/audit/verify",
        workspace_id=chain,
        kind=NoticeKind.ALARM,
    )
