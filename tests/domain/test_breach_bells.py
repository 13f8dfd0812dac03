"""A passed limit is heard of by inbox, letter and Telegram, and a flapping one floods nobody."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.domain import book_watch, breach_policy, notices
from app.domain.letters import House
from app.domain.telegram import wording, worth
from app.extensions import db
from app.models import LimitBreach, Mail, Notice, TelegramCall, TelegramLink
from tests import factories
from tests.domain.test_book import running, weighed
from tests.domain.test_breaches import DRAWDOWN, LOSS, bot  # noqa: F401 -- the fixture
from tests.factories import NOW

HOUSE = House("plutarc", "https://bots.example")


def linked(person):
    link = {"telegram_id": 7, "chat_id": 7, "name": person.name, "created_at": NOW}
    db.session.add(TelegramLink(user_id=person.id, confirmed_at=NOW, **link))
    db.session.flush()
    return person


@pytest.fixture
def owner(bot):  # noqa: F811 -- the fixture
    return linked(bot.workspace.memberships[0].user)


def rung():
    """Inbox entries, letters and calls so far."""
    counted = [select(func.count()).select_from(Notice).where(Notice.key.startswith("breach"))]
    counted += [select(func.count()).select_from(table) for table in (Mail, TelegramCall)]
    return [db.session.scalar(query) for query in counted]


def passes(one, breach, now):
    number = one.told(breach)
    breach_policy.follow(number, now)
    return number


def test_it_rings_in_the_chat_with_what_the_inbox_says(bot, owner):  # noqa: F811
    before = rung()
    number = passes(bot, DRAWDOWN, NOW)
    breach_policy.follow(number, NOW)
    assert [now - then for now, then in zip(rung(), before, strict=True)] == [1, 1, 1]
    (call,) = db.session.scalars(select(TelegramCall))
    text = wording.of(call, None, HOUSE).text
    assert f"{bot.name} has passed a limit: Largest drawdown" in text
    assert "Drawdown 120.00 reached 100." in text.replace("\u2060", "")
    assert "Resume it to let it enter again" in text
    assert text.endswith(f"https://bots.example/w/{bot.workspace_id}/bots/{bot.id}")
    assert worth.void(call, None, 0) == ""
    owner.suspended_at = NOW
    assert worth.void(call, None, 0) == "It is not theirs to hear any more."
    db.session.delete(notices.find(owner.id, f"breach {number}"))
    db.session.flush()
    assert worth.void(call, None, 0) == "It is gone from the inbox."


def test_a_flapping_limit_falls_silent_after_one_summary_and_another_one_does_not(
    bot,  # noqa: F811
    owner,
):
    before, moments = rung(), [NOW + timedelta(minutes=3 * number) for number in range(8)]
    for moment in moments:
        passes(bot, DRAWDOWN, moment)
    inbox, letters, chats = (now - then for now, then in zip(rung(), before, strict=True))
    assert (inbox, letters, chats) == (8 + 1, 3 + 1 + 1, 3 + 1 + 1), "and one summary"
    held = f"More limits that {bot.name} passes are held back"
    assert db.session.scalars(select(Notice.id).where(Notice.title == held)).all()
    loud = rung()
    passes(bot, LOSS, moments[-1])
    assert [now - then for now, then in zip(rung(), loud, strict=True)] == [1, 1, 1]
    later = moments[-1] + timedelta(hours=1, seconds=1)
    loud = rung()
    passes(bot, DRAWDOWN, later)
    assert [now - then for now, then in zip(rung(), loud, strict=True)] == [1, 1, 1]


def test_one_flapping_bot_keeps_nothing_of_another_back(bot, owner):  # noqa: F811
    for number in range(6):
        passes(bot, DRAWDOWN, NOW + timedelta(seconds=number))
    other = factories.bot(bot.workspace, name="Other")
    words = {"limit": "max_drawdown", "value": DRAWDOWN.value, "bound": DRAWDOWN.bound}
    words |= {"policy": DRAWDOWN.policy}
    run = db.session.scalars(select(LimitBreach.run_id)).first()
    place = {"workspace_id": bot.workspace_id, "bot_id": other.id, "run_id": run}
    fresh = LimitBreach(**place, **words, text="drawdown", at=NOW)
    db.session.add(fresh)
    db.session.flush()
    before = rung()
    breach_policy.follow(fresh.number, NOW + timedelta(minutes=1))
    assert [now - then for now, then in zip(rung(), before, strict=True)] == [1, 1, 1]


def test_a_passed_ceiling_rings_there_too(app):
    desk = factories.organisation()
    linked(desk.memberships[0].user)
    _, run = running(desk, "Loser")
    weighed(run, 1_000, 900)
    desk.ceilings = {"max_daily_loss": "100"}
    for second in range(2):
        book_watch.look(desk.id, NOW + timedelta(seconds=second))
    (call,) = db.session.scalars(select(TelegramCall))
    text = wording.of(call, None, HOUSE).text
    assert "have passed a ceiling" in text
    assert "until somebody resumes it, which is refused until" in text
