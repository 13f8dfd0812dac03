"""What the operator sees of Telegram: what waits, what failed and why, and whether it rings."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update

from app.domain import audit
from app.domain.audit import Actor
from app.domain.errors import Refused
from app.domain.telegram import calls, chats
from app.extensions import change, db
from app.models import CallState, TelegramCall, TelegramChat, TelegramUpdate, User

PAGE = 50
STUCK = (CallState.FAILED, CallState.UNKNOWN)


@dataclass(frozen=True)
class Sight:
    """What is known of the bot and the operators' chat."""

    bot: str
    looked_at: datetime | None
    topics: bool | None


def sight(bot_id: int, chat_id: int) -> Sight:
    """What Telegram last said of both."""
    bot = db.session.get(TelegramChat, bot_id)
    chat = db.session.get(TelegramChat, chats.where(chat_id)) if chat_id else None
    return Sight(
        bot.name if bot else "", bot.looked_at if bot else None, chat.forum if chat else None
    )


def recent(state: CallState | None, page: int) -> list[TelegramCall]:
    """Calls, newest first: one more than a page, if there is one more."""
    query = select(TelegramCall).order_by(TelegramCall.created_at.desc(), TelegramCall.id.desc())
    if state is not None:
        query = query.where(TelegramCall.state == state)
    return list(db.session.scalars(query.offset((page - 1) * PAGE).limit(PAGE + 1)))


def counts() -> dict[CallState, int]:
    """How many calls there are in each state."""
    query = select(TelegramCall.state, func.count()).group_by(TelegramCall.state)
    return dict(db.session.execute(query).all())


def waiting_since(moment: datetime) -> int:
    """How many calls were asked for before ``moment`` and nobody has tried yet."""
    untried = (TelegramCall.state == CallState.QUEUED, TelegramCall.tried_at.is_(None))
    query = select(func.count()).where(*untried, TelegramCall.created_at < moment)
    return db.session.scalar(query) or 0


def failed_since(moment: datetime) -> int:
    """How many calls asked for since ``moment`` have failed."""
    lost = (TelegramCall.state == CallState.FAILED, TelegramCall.created_at >= moment)
    return db.session.scalar(select(func.count()).where(*lost)) or 0


def updates(limit: int = 20) -> Sequence[TelegramUpdate]:
    """What came in last; only what was decided about it is shown, never what it says."""
    query = select(TelegramUpdate).order_by(TelegramUpdate.received_at.desc())
    return db.session.scalars(query.limit(limit)).all()


def find(call_id: str) -> TelegramCall | None:
    """One call."""
    return db.session.get(TelegramCall, call_id)


def again(call: TelegramCall, *, by: Actor, now: datetime) -> None:
    """Put a call that failed back into the line.

    Raises:
        Refused: it was sent, or waits already.
    """
    stuck = update(TelegramCall).where(TelegramCall.id == call.id, TelegramCall.state.in_(STUCK))
    values = {key: it for key, it in call.values.items() if key not in ("doubts", "failed")}
    back = stuck.values(
        state=CallState.QUEUED, try_at=now, tried_at=None, created_at=now, error="", values=values
    )
    if not change(back):
        raise Refused("This was sent or is waiting already. Look again in a minute.")
    db.session.refresh(call)
    calls.ask(call.id, at=now, now=now)
    audit.record("telegram.send_again", by=by, now=now, target_id=call.id, target_label=call.kind)


def ring(operator: User, *, by: Actor, now: datetime) -> None:
    """Ring the operators' chat, to see whether it rings."""
    call_id = calls.test_ring(operator, now)
    audit.record("telegram.test", by=by, now=now, target_id=call_id, target_label="test")
