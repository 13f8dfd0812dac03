"""What is looked after now and then, beside bots and hints: lost letters, terms that ran out.

Each verb stands alone: what one refuses keeps no other one, and no bot, waiting.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from app import current
from app.domain import (
    account_rule,
    approvals,
    backtest_runs,
    book_watch,
    bot_alarms,
    breach_policy,
    budgets,
    code_tasks,
    deadlines,
    dry_runs,
    finds,
    invitation_book,
    leads,
    mail,
    outbox,
    ownership,
    previews,
    readiness_runs,
    statement_letters,
    sweeps,
    upgrades,
)
from app.domain.certification import runs as certifications
from app.domain.decisions import keep
from app.domain.inbound import store
from app.domain.signals import delivery
from app.domain.status import incidents, measure, spreading, subscribers
from app.domain.support import access, breaches, bundles, contact_door, files, silence
from app.domain.telegram import calls, updates
from app.extensions import db

log = logging.getLogger(__name__)

MOST_AT_ONCE = 50
"""Of one kind in one round: bots wait for their hints meanwhile."""

Verb = Callable[[datetime], object]

LOST: tuple[Verb, ...] = (
    mail.sweep,
    store.sweep,
    calls.sweep,
    updates.sweep,
    finds.ask,
    backtest_runs.sweep,
    readiness_runs.sweep,
    dry_runs.sweep,
    code_tasks.sweep,
    certifications.sweep,
)
"""Asks anew for what the queues have forgotten."""

ONE_BY_ONE: tuple[Callable[[datetime], bool], ...] = (
    ownership.expire_one,
    approvals.expire_one,
    access.sweep_one,
    breaches.tell_one,
    keep.forget_some,
)
"""Each call sees to what is due, little at a time, and says whether there may be more: a lock that
it takes, or what it deletes, keeps nobody waiting, so it commits."""

EACH: tuple[tuple[Callable[[datetime], list[str]], Callable[[str, datetime], object]], ...] = (
    (silence.due, silence.look),
    (book_watch.due, book_watch.look),
    (breach_policy.due, breach_policy.look),
    (account_rule.due, account_rule.look),
)
"""Ids of what is due, and what is done with each."""

OLD: tuple[Verb, ...] = (
    outbox.forget,
    mail.forget,
    store.forget,
    bundles.forget,
    calls.forget,
    contact_door.forget,
    subscribers.forget,
    measure.forget,
    sweeps.forget,
    previews.forget,
    code_tasks.forget,
    delivery.forget,
)
"""Drops what nobody needs any more."""


def sweep(now: datetime) -> None:
    """Every half minute."""
    for lost in LOST:
        patiently(lost, now)
    patiently(upgrades.step, now, current.config().tempo)
    for one in ONE_BY_ONE:
        patiently(_all, one, now)
    for due, look in EACH:
        _each(due, look, now)


def watch(now: datetime) -> None:
    """Every half minute, once bots were looked at: no bell keeps another one waiting."""
    _each(bot_alarms.due, bot_alarms.look, now)
    patiently(bot_alarms.sweep, now)


def forget(now: datetime) -> None:
    """Every ten minutes; what machines cost so far is added up as often."""
    for costs in (budgets.ask_due, statement_letters.ask_due):
        patiently(costs, now)
    for old in OLD:
        patiently(old, now)
    _each(invitation_book.due, invitation_book.expire, now)
    patiently(files.sweep, current.storage(), now)
    for slow in (leads.learn, deadlines.renew):
        patiently(slow, now, current.config().tempo)


def spread_forgotten(now: datetime) -> None:
    """Every minute: ask anew for updates of incidents that should be everywhere by now."""
    _each(spreading.forgotten, incidents.ask_to_spread, now)


def patiently(verb: Callable[..., object], *arguments: object) -> None:
    """Do it and commit; where it fails, say so and go on: bots' hints come from here too."""
    try:
        verb(*arguments)
        db.session.commit()
    except Exception:
        db.session.rollback()
        log.exception("a sweep failed; it is tried again with the next one")


def _all(see_to_one: Callable[[datetime], bool], now: datetime) -> None:
    """Each locks what it sees to, so each commits alone. What piled up waits for the next round."""
    for _ in range(MOST_AT_ONCE):
        if not see_to_one(now):
            return
        db.session.commit()


def _each(
    due: Callable[[datetime], Sequence[str]], see_to: Callable[..., object], now: datetime
) -> None:
    """Look up what is due, and see to each on its own."""
    found: list[str] = []
    patiently(lambda: found.extend(due(now)))
    for name in found:
        patiently(see_to, name, now)
