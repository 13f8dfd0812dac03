"""What keeps bots from entering, or gets them out: kill switches, holds, alarms that ring."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Model
from app.models.base import Chosen, Moment, Owned, Tenant, belongs_to, primary_key

_LIFTED = text("lifted_at IS NULL")
_RINGS = text("ended_at IS NULL")


class KillAct(StrEnum):
    """What a kill switch does; each does what those before it do as well."""

    PAUSE = "pause"
    CANCEL = "cancel"
    FLATTEN = "flatten"


class KillScope(StrEnum):
    """Whom it was pressed for."""

    BOT = "bot"
    SELECTION = "selection"
    WORKSPACE = "workspace"


class Kill(Tenant, Model):
    """One press of the kill switch. ``press`` stands for page, act and bots: sent twice, one."""

    __table_args__ = (UniqueConstraint("workspace_id", "id"), UniqueConstraint("press"))

    id: Mapped[str] = primary_key("kil")
    act: Mapped[KillAct] = mapped_column(Chosen(KillAct))
    scope: Mapped[KillScope] = mapped_column(Chosen(KillScope))
    reason: Mapped[str] = mapped_column(String(200))
    press: Mapped[str] = mapped_column(String(110))
    pressed_by: Mapped[str | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    at: Mapped[datetime] = mapped_column(Moment)


class KillBot(Owned, Model):
    """A bot that a kill switch is for.

    ``command_id`` is the order whose end proves that it arrived, perhaps one that was under way
    already; without one it had no machine. ``paused``: whether it is by kill switch that it is.
    """

    __table_args__ = (belongs_to("kill", "kill_id"), belongs_to("bot", "bot_id"))

    kill_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    bot_id: Mapped[str] = mapped_column(String(40), primary_key=True, index=True)
    paused: Mapped[bool]
    command_id: Mapped[str | None] = mapped_column(String(40))


class Hold(Model):
    """Why no bot of the whole installation may enter, until it is lifted."""

    __table_args__ = (
        Index(
            "uq_hold_standing",
            "cause",
            unique=True,
            sqlite_where=_LIFTED,
            postgresql_where=_LIFTED,
        ),
    )

    id: Mapped[str] = primary_key("hld")
    cause: Mapped[str] = mapped_column(String(24))
    text: Mapped[str] = mapped_column(String(300))
    imposed_by: Mapped[str | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    since: Mapped[datetime] = mapped_column(Moment)
    lifted_at: Mapped[datetime | None] = mapped_column(Moment)


class BotAlarm(Owned, Model):
    """Trouble of one bot that touches money. Of each code one rings at a time, until it is over."""

    __table_args__ = (
        belongs_to("bot", "bot_id"),
        Index(
            "uq_bot_alarm_rings",
            *("bot_id", "code"),
            unique=True,
            sqlite_where=_RINGS,
            postgresql_where=_RINGS,
        ),
        Index("ix_bot_alarm_newest", "workspace_id", "first_at"),
    )

    id: Mapped[str] = primary_key("bal")
    bot_id: Mapped[str] = mapped_column(String(40))
    code: Mapped[str] = mapped_column(String(40))
    text: Mapped[str] = mapped_column(String(400))
    first_at: Mapped[datetime] = mapped_column(Moment)
    last_at: Mapped[datetime] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    taken_by: Mapped[str | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    taken_at: Mapped[datetime | None] = mapped_column(Moment)
