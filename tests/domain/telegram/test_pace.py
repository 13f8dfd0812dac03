"""How often a chat may be written to, kept in rows that all workers share."""

import itertools
from datetime import UTC, datetime, timedelta

from app.domain.telegram import chats
from app.extensions import db

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def sent_within(chat_id, seconds, step=0.05):
    """When messages went out to a chat that always has one more to send."""
    moments, at = [], NOW
    while at < NOW + timedelta(seconds=seconds):
        free = chats.take(chat_id, at)
        if free is None:
            moments.append((at - NOW).total_seconds())
        at = max(at + timedelta(seconds=step), free or at)
    return moments


def most_within(moments, seconds):
    return max(sum(1 for other in moments if m <= other < m + seconds) for m in moments)


def test_a_person_hears_one_message_a_second(app):
    moments = sent_within(601, 20)
    assert len(moments) >= 19
    assert min(b - a for a, b in itertools.pairwise(moments)) >= 1


def test_a_group_hears_twenty_a_minute_at_most_and_ten_at_once(app):
    moments = sent_within(-1001, 180)
    assert most_within(moments, 60) <= 20
    assert moments[9] < 12
    assert len(moments) >= 38


def test_all_chats_together_hear_thirty_a_second(app):
    taken = [chats.take(1000 + number, NOW) for number in range(60)]
    assert sum(1 for it in taken if it is None) <= 30
    later = NOW + timedelta(seconds=1)
    more = [chats.take(2000 + number, later) for number in range(60)]
    assert sum(1 for it in (*taken, *more) if it is None) <= 45
    assert all(free > NOW for free in taken if free is not None)


def test_a_chat_that_asked_for_rest_gets_it_and_others_do_not_wait(app):
    chats.rest(601, NOW + timedelta(seconds=30))
    assert chats.take(601, NOW + timedelta(seconds=29)) == NOW + timedelta(seconds=30)
    assert chats.take(602, NOW) is None
    assert chats.take(601, NOW + timedelta(seconds=30)) is None


def test_chats_that_moved_in_a_circle_end_somewhere(app):
    chats.moved(-1, -2)
    chats.moved(-2, -1)
    db.session.flush()
    assert chats.where(-1) in (-1, -2)
