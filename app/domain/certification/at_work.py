"""Whether a key is being certified right now: no bot begins to trade with it meanwhile."""

from sqlalchemy import select

from app.domain.errors import Invalid
from app.extensions import db
from app.models import CertificationRun, Connection
from app.models.backtest import WAITING


def check(connection: Connection) -> None:
    """Raises ``Invalid`` while it is."""
    query = select(CertificationRun.id).where(
        CertificationRun.workspace_id == connection.workspace_id,
        CertificationRun.connection_id == connection.id,
        CertificationRun.state.in_(WAITING),
    )
    if db.session.scalar(query.limit(1)) is not None:
        raise Invalid(
            f"The connection {connection.label} is being certified, which takes some minutes. "
            "Wait until that is over, or end it.",
            "connection",
        )
