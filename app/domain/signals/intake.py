"""What comes in at a webhook: proven, read, checked, and kept with the reason it was rejected for.

Invariant 9 holds here: what is sent twice counts once, what is old or was overtaken counts not.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from app import tenancy
from app.domain import machines, overview
from app.domain.lifecycle import Tempo
from app.domain.signals import hooks, message
from app.domain.signals.message import Message, Rejected
from app.extensions import db
from app.gateways.locker import Locker
from app.models import Bot, Signal, SignalHook, SignalState, Wish
from runner.protocol import to_plain

AHEAD = timedelta(seconds=30)
"""So much a sender's clock may be ahead of ours."""

MOST_A_MINUTE = 60
_REASON = 300
UNKNOWN = "No such webhook, or its secret is wrong."
TOO_LONG = f"It is longer than {message.LONGEST} bytes."


@dataclass(frozen=True)
class Knock:
    """A message as it came. ``stamp`` and ``signature`` are headers; empty where there are none."""

    body: bytes | None
    source: str
    stamp: str = ""
    signature: str = ""


@dataclass(frozen=True)
class Answer:
    """What the sender is told; ``signal`` is what was kept of it."""

    status: int
    text: str
    signal: str = ""


def receive(bot_id: str, knock: Knock, *, locker: Locker, tempo: Tempo, now: datetime) -> Answer:
    """Take a message in, or say why not. Whoever has no proof hears the same, whatever is there."""
    with tenancy.everywhere("a sender names a bot and no workspace"):
        query = select(SignalHook).where(
            SignalHook.bot_id == bot_id, SignalHook.sealed.is_not(None)
        )
        hook = db.session.scalar(query.with_for_update())
    if hook is None:
        return Answer(404, UNKNOWN)
    tenancy.enter(hook.workspace_id)
    bot = db.session.get_one(Bot, hook.bot_id)
    if bot.deleted_at is not None or bot.wish is Wish.GONE:
        return Answer(404, UNKNOWN)
    try:
        found, signed_at = _proven(hook, knock, hooks.secret_of(hook, locker))
    except Rejected as why:
        _count(bot, why, now)
        return Answer(404, UNKNOWN)
    return _taken(bot, hook, found, signed_at, tempo, now)


def test(bot: Bot, body: str, *, tempo: Tempo, now: datetime) -> Signal:
    """Check a message as if its proof held. It is shown, and never handed to the bot."""
    hook = hooks.of(bot) or SignalHook(bot_id=bot.id, max_age=60, sources=[], aliases={})
    row = _row(bot, SignalState.TESTED, now)
    try:
        found = message.decoded(body.encode("utf-8", "replace"))
        asked = message.read(_filled(found, bot, now), bot.symbols, hook.aliases)
        _describe(row, asked)
        _check_time(asked, hook, now)
        _check_bot(bot, tempo, now)
        row.reason = "A test: this would be handed to the bot, which would decide it at once."
    except Rejected as why:
        row.reason = f"A test: this would be rejected. {why}"[:_REASON]
    db.session.add(row)
    db.session.flush()
    return row


def _proven(
    hook: SignalHook, knock: Knock, secret: str | None
) -> tuple[dict[str, Any], datetime | None]:
    """What was sent, if it proves whose it is; with a signature also when it was signed."""
    if not hooks.admits(hook, knock.source):
        raise Rejected("source", f"It came from {knock.source}, which is not among those allowed.")
    if knock.body is None:
        raise Rejected("long", TOO_LONG)
    if secret is None:
        raise Rejected("lost", "The secret does not open any more: make a new one.")
    if knock.signature or knock.stamp:
        return _signed(knock, secret)
    found = message.decoded(knock.body)
    given = found.get("secret")
    if not isinstance(given, str) or not given:
        raise Rejected("secret", "It carries no secret, neither in the message nor as a signature.")
    if not hmac.compare_digest(_digest(given), _digest(secret)):
        raise Rejected("secret", "Its secret is wrong: an old one, or of another bot.")
    return found, None


def _signed(knock: Knock, secret: str) -> tuple[dict[str, Any], datetime]:
    stamp, body = knock.stamp, knock.body or b""
    said = stamp.encode("utf-8", "replace") + b"." + body
    expected = hmac.new(secret.encode(), said, "sha256").hexdigest()
    given = knock.signature.strip().removeprefix("sha256=")
    if not hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace")):
        raise Rejected("signature", "Its signature does not fit the secret, the time and the body.")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 11):
        raise Rejected("signature", "The time it was signed at is no number of seconds.")
    return message.decoded(body), datetime.fromtimestamp(int(stamp), UTC)


def _taken(
    bot: Bot,
    hook: SignalHook,
    found: dict[str, Any],
    signed_at: datetime | None,
    tempo: Tempo,
    now: datetime,
) -> Answer:
    """What a known sender asked for, kept whatever becomes of it."""
    if _lately(bot, now) >= MOST_A_MINUTE:
        why = Rejected("rate", f"More than {MOST_A_MINUTE} messages within a minute.", 429)
        _count(bot, why, now)
        return Answer(why.status, str(why))
    row = _row(bot, SignalState.REJECTED, now)
    try:
        asked = message.read(found, bot.symbols, hook.aliases, signed_at)
        _describe(row, asked)
        key = _digest(asked.name or f"{asked.sent_at}|{asked.symbol}|{asked.action}").hex()
        known = db.session.scalar(select(Signal).where(Signal.bot_id == bot.id, Signal.key == key))
        if known is not None:
            return _again(known, asked, now)
        _check_time(asked, hook, now)
        _check_order(bot, asked)
        # From here on it is known: to send it again does not bring it back.
        row.key = key
        _check_bot(bot, tempo, now)
    except Rejected as why:
        row.reason = str(why)[:_REASON]
        db.session.add(row)
        db.session.flush()
        return Answer(why.status, row.reason, row.id)
    row.state = SignalState.WAITING
    row.expires_at = min(asked.sent_at, now) + timedelta(seconds=hook.max_age)
    db.session.add(row)
    db.session.flush()
    return Answer(202, "Taken.", row.id)


def _again(known: Signal, asked: Message, now: datetime) -> Answer:
    """The same once more changes nothing; something else under the same id is refused."""
    if (known.symbol, known.action, known.sent_at) != (asked.symbol, asked.action, asked.sent_at):
        raise Rejected("id", f"The id “{asked.name}” was used before for something else.", 409)
    known.times, known.last_at = known.times + 1, now
    return Answer(200, "Known already.", known.id)


def _check_time(asked: Message, hook: SignalHook, now: datetime) -> None:
    age = now - asked.sent_at
    if age > timedelta(seconds=hook.max_age):
        text = f"Expired: it was sent {age.total_seconds():.0f} s ago, {hook.max_age} s at most."
        raise Rejected("expired", text, 409)
    if -age > AHEAD:
        text = f"Its time is {-age.total_seconds():.0f} s ahead of this server's clock."
        raise Rejected("ahead", text, 409)


def _check_order(bot: Bot, asked: Message) -> None:
    newest = select(func.max(Signal.sent_at)).where(
        Signal.bot_id == bot.id,
        Signal.symbol == asked.symbol,
        Signal.state.not_in((SignalState.REJECTED, SignalState.TESTED)),
    )
    last = db.session.scalar(newest)
    if last is not None and asked.sent_at < last:
        text = f"A newer one, sent at {last:%H:%M:%S} UTC, came before it."
        raise Rejected("overtaken", text, 409)


def _check_bot(bot: Bot, tempo: Tempo, now: datetime) -> None:
    """A signal wakes nobody: where no machine is, or is to come, none will decide it in time."""
    if not hooks.hears(bot):
        text = f"{bot.version.label} does not listen: it has no component External signal."
        raise Rejected("deaf", text, 409)
    if machines.current_machine(bot.id) is None:
        reading = overview.summary(bot, now, tempo).reading
        text = f"The bot is {reading.label}, and a signal does not wake it."
        raise Rejected("asleep", text, 409)


def _lately(bot: Bot, now: datetime) -> int:
    since = now - timedelta(minutes=1)
    mine = Signal.bot_id == bot.id, Signal.received_at > since, Signal.state != SignalState.TESTED
    query = select(func.count()).where(*mine)
    return db.session.scalar(query) or 0


def _row(bot: Bot, state: SignalState, now: datetime) -> Signal:
    own = {"workspace_id": bot.workspace_id, "bot_id": bot.id}
    return Signal(**own, state=state, received_at=now, last_at=now, times=1, said={}, verdicts=[])


def _describe(row: Signal, asked: Message) -> None:
    row.symbol, row.action, row.sent_at = asked.symbol, asked.action, asked.sent_at
    row.said = asked.said


def _count(bot: Bot, why: Rejected, now: datetime) -> None:
    """What anybody can cause has one line an hour for each reason, and a number."""
    key = f"{why.code} {now:%Y-%m-%dT%H}"
    known = db.session.scalar(select(Signal).where(Signal.bot_id == bot.id, Signal.key == key))
    if known is None:
        known = _row(bot, SignalState.REJECTED, now)
        known.key, known.times = key, 0
        db.session.add(known)
    known.times, known.last_at, known.reason = known.times + 1, now, str(why)[:_REASON]
    db.session.flush()


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()


def _filled(found: dict[str, Any], bot: Bot, now: datetime) -> dict[str, Any]:
    """A test as its sender would fill it in."""
    typed = {
        "{{timenow}}": to_plain(now.replace(microsecond=0)),
        "{{ticker}}": message.spelt(bot.symbols[0]),
        "{{strategy.order.action}}": "buy",
        "{{strategy.market_position}}": "long",
        "{{close}}": "100",
        "{{strategy.order.id}}": "test",
        "{{strategy.order.comment}}": "test",
    }
    return {
        name: typed.get(value.strip(), value) if isinstance(value, str) else value
        for name, value in found.items()
    }
