"""Certifications: who vouches for an exchange, what they vouch for, and those made here."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.extensions import Model
from app.models.backtest import LongRun
from app.models.base import Document, Moment, Tenant, belongs_to, primary_key
from app.models.connection import Connection

_OWN = text("own AND revoked_at IS NULL")
_AT_WORK = text("state IN ('queued', 'running')")


class Tester(Model):
    """Somebody whose reports are believed, by the key they sign with, until it is revoked.

    ``own``: it is this installation's, which keeps the private half in ``sealed``.
    """

    __table_args__ = (
        Index("uq_tester_own", "own", unique=True, sqlite_where=_OWN, postgresql_where=_OWN),
    )

    id: Mapped[str] = primary_key("tst")
    name: Mapped[str] = mapped_column(String(80))
    public_key: Mapped[str] = mapped_column(String(44), unique=True)
    note: Mapped[str] = mapped_column(String(300), default="")
    own: Mapped[bool] = mapped_column(default=False)
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    created_by: Mapped[str | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(Moment)
    revoked_at: Mapped[datetime | None] = mapped_column(Moment)


class Certification(Model):
    """A signed report, of no workspace: everybody may read it.

    ``content`` is exactly what came in, so that it can be verified again; ``digest`` is of what
    is signed and by which key, so that the same report twice is one.
    """

    __table_args__ = (Index("ix_certification_place", "exchange", "environment", "ended_at"),)

    id: Mapped[str] = primary_key("cer")
    tester_id: Mapped[str] = mapped_column(ForeignKey("tester.id"), index=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    exchange: Mapped[str] = mapped_column(String(24))
    environment: Mapped[str] = mapped_column(String(24))
    runner_version: Mapped[str] = mapped_column(String(20))
    ended_at: Mapped[datetime] = mapped_column(Moment)
    passed: Mapped[bool]
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    received_by: Mapped[str | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    received_at: Mapped[datetime] = mapped_column(Moment)

    tester: Mapped[Tester] = relationship(lazy="joined", innerjoin=True)


class CertificationRun(LongRun, Tenant, Model):
    """A certification made here with a connection's key; of one connection one at a time.

    ``lines``: the steps taken so far, as the report has them. ``token_hash``: of what the process
    fetches the key with, once; empty when there is nothing to fetch. ``report``: the signed one as
    it is handed out. ``certification_id``: where it stands for everybody, if it does.

    What it did at the exchange, and what it left there, is told however it ended.
    """

    ATTEMPTS: ClassVar[int] = 1
    CANCEL_WINS: ClassVar[bool] = False
    LOST: ClassVar[str] = (
        "the worker was lost while it ran. The process takes back its orders by itself; look at "
        "the exchange, then start another one, which takes back what is left"
    )

    __table_args__ = (
        UniqueConstraint("workspace_id", "id"),
        belongs_to("connection", "connection_id"),
        Index("ix_certification_run_newest", "workspace_id", "connection_id", "created_at"),
        Index("ix_certification_run_state", "state", "heard_at"),
        Index(
            "uq_certification_run_at_work",
            "connection_id",
            unique=True,
            sqlite_where=_AT_WORK,
            postgresql_where=_AT_WORK,
        ),
    )

    id: Mapped[str] = primary_key("crt")
    connection_id: Mapped[str] = mapped_column(String(40))
    symbol: Mapped[str] = mapped_column(String(40))
    lines: Mapped[list[dict[str, Any]]] = mapped_column(Document, default=list)
    token_hash: Mapped[str] = mapped_column(String(64), default="")
    report: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    certification_id: Mapped[str | None] = mapped_column(ForeignKey("certification.id"))
    created_by: Mapped[str | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(Moment)

    connection: Mapped[Connection] = relationship()
