"""The check of the audit logs against the checkpoints that the storage keeps."""

from sqlalchemy import select

from app import current
from app.cli.base import reading
from app.cli.finding import Finding, Look, fail, ok, warn
from app.domain import checkpoints
from app.domain.checkpoint_file import Checkpoint, NoCheckpoint
from app.extensions import db
from app.models import AuditEvent, Workspace

_CURE = (
    "stop plutarc, keep this database and the storage as they are, and compare `audit export` "
    "with the checkpoints that owners got by mail"
)


def audit(look: Look) -> Finding:
    """A database that was restored lacks events that were signed; one that forked has others."""
    reading()
    chains = db.session.scalars(select(Workspace.id).order_by(Workspace.id)).all()
    seen = 0
    for chain in chains:
        try:
            kept = checkpoints.stored(current.storage(), chain)
        except NoCheckpoint as error:
            return fail(f"{checkpoints.file_of(chain)} is damaged: {error}", "restore that file")
        for item in kept[-1:]:
            fault = _fault(item, look.config.signing_public_keys)
            if fault:
                return fail(fault, _CURE)
            seen += 1
    if not look.config.signing_public_keys:
        return warn("no checkpoints are signed", "python -m app.gateways.signing")
    return ok(f"{seen} of {len(chains)} logs fit their last stored checkpoint")


def _fault(item: Checkpoint, keys: tuple[str, ...]) -> str | None:
    query = select(AuditEvent.hash).where(
        AuditEvent.chain == item.chain, AuditEvent.seq == item.seq
    )
    found = db.session.scalar(query)
    if keys and not item.signed_by(keys):
        return f"the stored checkpoint of {item.chain} is not signed with SIGNING_PUBLIC_KEY"
    if found is None:
        return f"{item.chain} ends before event {item.seq}, which was signed: an older backup?"
    if found != item.hash:
        return f"{item.chain} has another event {item.seq} than was signed: it forked"
    return None
