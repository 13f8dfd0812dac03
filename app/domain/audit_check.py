"""Verifying a chain where it lies, in the database, against its signed checkpoints."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from app.domain import audit_rows, checkpoints
from app.domain.audit_chain import BEGINNING, Anchor, Problem, Walk
from app.domain.checkpoint_file import Checkpoint
from app.extensions import db
from app.models import AuditEvent, AuditHead

QUICK = 20_000
"""So many events are followed while somebody waits for a page; more on demand."""


@dataclass(frozen=True)
class Verdict:
    """How far a chain verifies. ``first`` is where it was followed from.

    ``signed``: the newest checkpoint that was signed with a known key and that the chain fits.
    """

    chain: str
    first: int
    events: int
    sound_up_to: int
    signed: Checkpoint | None
    checkpoints: int
    problem: Problem | None = None

    @property
    def sound(self) -> bool:
        """Whether there is no break."""
        return self.problem is None

    @property
    def whole(self) -> bool:
        """Whether it was followed from its beginning."""
        return self.sound_up_to - self.first + 1 >= self.events


def verify(
    chain: str,
    public_keys: Sequence[str],
    *,
    whole: bool = True,
    noted: Sequence[Checkpoint] = (),
) -> Verdict:
    """Follow a chain to its head, link by link.

    Args:
        chain: the workspace whose log it is.
        public_keys: whose signatures count; without any, checkpoints are taken as they are.
        whole: from the beginning; else a long chain only from its last checkpoint.
        noted: checkpoints kept elsewhere, beside those in the database.
    """
    head = db.session.get(AuditHead, chain, populate_existing=True)
    if head is None:
        return Verdict(chain, 1, 0, 0, None, 0)
    kept = [*checkpoints.of_chain(chain), *noted]
    forged = next((item for item in kept if not _valid(item, chain, public_keys)), None)
    after = BEGINNING
    if not whole and forged is None and head.seq > QUICK and kept:
        after = kept[-1].link
    walk = Walk(chain, [item.link for item in kept], after=after)
    problem = _fault(forged) or _follow(walk, head)
    sound_up_to = walk.seq if problem is None else min(walk.seq, problem.seq - 1)
    fitting = [item for item in kept if item.seq <= sound_up_to and item is not forged]
    return Verdict(
        chain=chain,
        first=after.seq + 1,
        events=head.seq,
        sound_up_to=sound_up_to,
        signed=max(fitting, key=lambda item: item.seq, default=None),
        checkpoints=len({item.seq for item in kept}),
        problem=problem,
    )


def at_a_glance(chain: str, public_keys: Sequence[str]) -> bool:
    """Whether head and last checkpoint are what the events say; three rows, for a badge."""
    head = db.session.get(AuditHead, chain)
    kept = checkpoints.newest(chain)
    links = [Anchor(head.seq, head.hash)] if head else []
    links += [kept.link] if kept else []
    if kept is not None and not _valid(kept, chain, public_keys):
        return False
    return all(_hash_at(chain, link.seq) == link.hash for link in links)


def _follow(walk: Walk, head: AuditHead) -> Problem | None:
    for event, _ in audit_rows.stream(walk.chain, head.seq, after=walk.seq):
        problem = walk.step(event)
        if problem is not None:
            return problem
    return walk.end(Anchor(head.seq, head.hash))


def _fault(forged: Checkpoint | None) -> Problem | None:
    if forged is None:
        return None
    said = "a checkpoint of it was not signed with a key of this installation"
    return Problem(forged.seq, "re-chained", said)


def _valid(item: Checkpoint, chain: str, public_keys: Sequence[str]) -> bool:
    return item.chain == chain and (not public_keys or item.signed_by(public_keys))


def _hash_at(chain: str, seq: int) -> str | None:
    query = select(AuditEvent.hash).where(AuditEvent.chain == chain, AuditEvent.seq == seq)
    return db.session.scalar(query)
