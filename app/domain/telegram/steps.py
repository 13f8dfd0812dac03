"""The steps of a call: ``begin`` claims the next one, a worker takes it outside, ``finish`` notes
what came of it.

A call may take several steps: learn whether the chat has topics, make one, send part after part.
How far it got is kept with the call, so a worker that dies leaves the rest to the next one. What
waits for one place goes out in order. A try that never came to an end may have arrived: it is made
once more, marked so, and then left.
"""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update

from app.domain import clock, notices
from app.domain.letters import House
from app.domain.support import tidings
from app.domain.telegram import calls, chats, links, outcome, sending, worth
from app.domain.telegram.sending import Errand, Step
from app.extensions import db
from app.gateways.telegram import Answer, Cause, Fate
from app.models import CallState, NoticeKind, TelegramCall, Ticket

TRY_LASTS = timedelta(seconds=40)
"""Longer than one call may take, so that nobody else makes it meanwhile."""

PAUSES = tuple(timedelta(minutes=it) for it in (1, 5, 30, 120, 360, 720))
"""Between failures; the last one repeats."""

GIVEN_UP_AFTER = timedelta(hours=24)
DOUBT = timedelta(seconds=3)
BUTTON_LASTS = timedelta(seconds=140)
"""Telegram forgets after 150 s that somebody pressed a button."""

MOST_DOUBTS = 2


@dataclass(frozen=True)
class Desk:
    """What the settings say, handed in by who may read them."""

    house: House
    chat_id: int = 0
    bot_id: int = 0


def begin(call_id: str, now: datetime, desk: Desk) -> Errand | None:
    """Claim the next step of what waits for the place of this call; ``None`` if nothing is due.

    A call that was never tried has the first of its line tried at once, although that one failed
    before and rests: what rings now finds out whether Telegram is back.
    """
    now = clock.database_now(now)
    asked = db.session.get(TelegramCall, call_id, populate_existing=True)
    if asked is None:
        return None
    while (call := _first(asked.destination)) is not None:
        if call.claimed_until is not None and call.claimed_until > now:
            return None
        early = asked.tried_at is None and asked.state is CallState.QUEUED
        if call.try_at > now and not early:
            return None
        ticket = db.session.get(Ticket, call.ticket_id) if call.ticket_id else None
        if ticket is not None:
            db.session.refresh(ticket)
        why = worth.void(call, ticket, desk.chat_id) or _too_late(call, now)
        if why:
            _settle(call, CallState.CANCELLED, why)
            continue
        if _died_over(call, ticket, desk) and _doubtful(call, "A worker died over it.", now):
            continue
        step = _next(call, ticket, desk)
        if step is not None:
            return _claim(call, step, now, desk)
        _settle(call, CallState.SENT, "")
        call.sent_at = now
    return None


def finish(errand: Errand, answer: Answer, now: datetime) -> bool:
    """Write down what came of a step; ``False`` if it no longer matters.

    That something was sent is true whoever has tried since, and is remembered in any case.
    """
    now = clock.database_now(now)
    query = select(TelegramCall).where(TelegramCall.id == errand.call_id).with_for_update()
    call = db.session.scalar(query.execution_options(populate_existing=True))
    if call is None:
        return False
    current = call.state is CallState.QUEUED and call.attempts == errand.attempt
    if answer.fate is Fate.DONE:
        outcome.done(call, errand, answer.result, now, current=current)
        if current:
            call.claimed_until = None
            call.values = {**call.values, "failed": 0}
        return current
    if not current:
        return False
    call.claimed_until, call.error = None, answer.detail[:300]
    _FATES[answer.fate](call, errand, answer, now)
    return True


def go_on(call_id: str, now: datetime) -> None:
    """Have the rest of a long line looked at by another job."""
    calls.ask(call_id, at=now, now=now)


def _first(destination: str) -> TelegramCall | None:
    """What goes out next to a place, held until the commit."""
    query = select(TelegramCall).where(
        TelegramCall.destination == destination, TelegramCall.state == CallState.QUEUED
    )
    first = query.order_by(TelegramCall.created_at, TelegramCall.id).limit(1)
    return db.session.scalar(first.with_for_update().execution_options(populate_existing=True))


def _next(call: TelegramCall, ticket: Ticket | None, desk: Desk) -> Step | None:
    return sending.next_step(call, ticket, worth.chat_of(call, desk.chat_id), desk.house)


def _died_over(call: TelegramCall, ticket: Ticket | None, desk: Desk) -> bool:
    """Whether somebody began to send it and never told what came of it."""
    if call.claimed_until is None:
        return False
    step = _next(call, ticket, desk)
    return step is not None and step.name == "send"


def _claim(call: TelegramCall, step: Step, now: datetime, desk: Desk) -> Errand | None:
    chat_id = worth.chat_of(call, desk.chat_id)
    free = None
    if step.method == "sendMessage":
        free = chats.take(chat_id, now)
    elif chat_id:
        free = chats.resting(chat_id, now)
    if free is not None:
        call.try_at = free
        calls.ask(call.id, at=free, now=now)
        return None
    call.attempts += 1
    call.claimed_until, call.tried_at = now + TRY_LASTS, now
    return Errand(
        call.id, call.attempts, step.name, chat_id, step.method, step.parameters, step.last
    )


def _too_late(call: TelegramCall, now: datetime) -> str:
    if call.kind == "button" and call.created_at < now - BUTTON_LASTS:
        return "Whoever pressed the button waits no longer."
    return ""


def _off(call: TelegramCall, _errand: Errand, answer: Answer, _now: datetime) -> None:
    _settle(call, CallState.CANCELLED, answer.detail)


def _later(call: TelegramCall, errand: Errand, answer: Answer, now: datetime) -> None:
    """Rest, and let all behind it rest as long; after a day give up and say so."""
    if call.created_at < now - GIVEN_UP_AFTER:
        _give_up(call, f"Given up after a day. {answer.detail}", now)
        return
    failed = int(call.values.get("failed", 0)) + 1
    if answer.wait:
        pause = timedelta(seconds=answer.wait)
        chats.rest(errand.chat_id, now + pause)
    else:
        jitter = random.uniform(0.9, 1.1)  # noqa: S311 -- spreads the tries, no secret
        pause = PAUSES[min(failed, len(PAUSES)) - 1] * jitter
        call.values = {**call.values, "failed": failed}
    call.try_at = now + pause
    behind = update(TelegramCall).where(
        TelegramCall.destination == call.destination,
        TelegramCall.state == CallState.QUEUED,
        TelegramCall.try_at < call.try_at,
        or_(TelegramCall.claimed_until.is_(None), TelegramCall.claimed_until <= now),
    )
    db.session.execute(behind.values(try_at=call.try_at, tried_at=now))
    calls.ask(call.id, at=call.try_at, now=now)


def _unknown(call: TelegramCall, errand: Errand, answer: Answer, now: datetime) -> None:
    """What tells nobody anything may be done twice: there a lost answer is like none."""
    if errand.step == "send":
        _doubtful(call, answer.detail, now)
    else:
        _later(call, errand, answer, now)


def _doubtful(call: TelegramCall, why: str, now: datetime) -> bool:
    """Note that a try may have arrived; ``True`` if the call is left at that."""
    doubts = int(call.values.get("doubts", 0)) + 1
    call.values = {**call.values, "doubts": doubts, "again": True}
    call.claimed_until, call.error = None, why[:300]
    if doubts >= MOST_DOUBTS:
        why = f"Tried twice, and it is unknown whether it arrived. {why}"
        _settle(call, CallState.UNKNOWN, why)
        _alarm(why, now)
        return True
    call.try_at = now + DOUBT
    calls.ask(call.id, at=call.try_at, now=now)
    return False


def _refused(call: TelegramCall, errand: Errand, answer: Answer, now: datetime) -> None:
    """Refused as it stands: mend it where that can be done, else say so and leave it."""
    if answer.cause is Cause.TOKEN:
        _later(call, errand, answer, now)
    elif answer.cause is Cause.BLOCKED and _of_a_person(call, errand):
        if link := links.by_telegram(errand.chat_id):
            links.shut(link.user_id, now)
        _settle(call, CallState.FAILED, answer.detail)
    elif outcome.mended(call, errand.step, errand.chat_id, answer, now):
        call.try_at = now
    elif errand.step in outcome.OPTIONAL:
        _settle(call, CallState.FAILED, answer.detail)
    else:
        _give_up(call, answer.detail, now)


def _of_a_person(call: TelegramCall, errand: Errand) -> bool:
    """Whether it goes to somebody's private chat: whoever shuts it there concerns no operator."""
    return call.destination not in (calls.OPERATORS, calls.TOPICS) and errand.chat_id > 0


def _give_up(call: TelegramCall, why: str, now: datetime) -> None:
    _settle(call, CallState.FAILED, why)
    _alarm(why, now)


def _alarm(why: str, now: datetime) -> None:
    """Tell operators where they look anyway; once an hour is enough."""
    notices.tell(
        [it.id for it in tidings.operators()],
        "A Telegram message could not be sent",
        key=f"telegram {now:%Y-%m-%d %H}",
        now=now,
        body=f"{why} Look at what waits and what failed.",
        path="/operator/telegram",
        kind=NoticeKind.ALARM,
    )


def _settle(call: TelegramCall, state: CallState, why: str) -> None:
    call.state, call.error, call.claimed_until = state, why[:300], None


_FATES = {
    Fate.LATER: _later,
    Fate.UNKNOWN: _unknown,
    Fate.REFUSED: _refused,
    Fate.OFF: _off,
}
