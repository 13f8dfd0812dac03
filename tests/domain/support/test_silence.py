"""The timer: it warns, waits until a channel took the warning, closes, and gives way to anybody."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.domain.support import closing, moves, notes, reach, redacting, silence
from app.extensions import db
from app.models import (
    AddressHealth,
    Audience,
    CallState,
    Condition,
    Incident,
    IncidentState,
    Mail,
    MailState,
    Notice,
    TelegramCall,
    TelegramLink,
    Ticket,
    TicketState,
)
from app.models.base import new_id
from tests.domain.support.scene import (
    DAY,
    DAY_5,
    HOUR,
    MINUTE,
    Scene,
    deliver,
    ledger,
    letters,
    replayed,
    sweep,
    told,
)
from tests.factories import NOW
from tests.kill.cutting import killed_at
from tests.parallel import at_once

WARNED = NOW + DAY_5
DAY_7 = NOW + 7 * DAY


@pytest.fixture
def scene(app):
    return Scene()


@pytest.fixture
def ticket(scene):
    """Answered at ``NOW``, warned on the fifth day; the letter is on its way."""
    made = scene.waiting()
    assert sweep(WARNED) == ["warned"]
    return made


def notices(scene, what):
    query = select(Notice).where(Notice.user_id == scene.owner_id, Notice.title.contains(what))
    return list(db.session.scalars(query))


def test_the_owner_is_warned_on_the_fifth_day_and_not_before(scene):
    ticket = scene.waiting()
    assert sweep(NOW + closing.WARN_AFTER - MINUTE) == []
    assert sweep(WARNED) == ["warned"]
    assert (ticket.state, ticket.warned_at, ticket.close_due_at) == ("waiting_user", WARNED, DAY_7)
    assert told(ticket) == ["ticket.open", "ticket.reply", "ticket.warn"]
    (notice,) = notices(scene, "closes soon")
    assert "It closes on Tuesday, 1 December, 12:00 UTC" in notice.body
    assert len(letters(ticket)) == 1


def test_it_closes_on_the_seventh_day_if_a_channel_took_the_warning_a_day_before(scene, ticket):
    deliver(ticket, WARNED + MINUTE)
    assert sweep(DAY_7 - MINUTE) == []
    assert sweep(DAY_7) == ["closed"]
    assert (ticket.state, ticket.closed_at, ticket.close_reason) == ("closed", DAY_7, "no answer")
    end = ledger(ticket)[-1]
    assert (end.action, end.actor, end.channel) == ("ticket.close", "system", "timer")
    assert end.reason == (
        "You did not answer since 24 November 2026, nor after the warning of 29 November 2026."
    )
    (notice,) = notices(scene, "was closed")
    assert "You can reopen it." in notice.body
    assert replayed(ticket)


def test_it_waits_a_day_from_the_moment_a_channel_took_the_warning(ticket):
    deliver(ticket, DAY_7 - HOUR)
    assert sweep(DAY_7) == ["later"]
    assert ticket.close_due_at == DAY_7 + 23 * HOUR
    assert sweep(DAY_7 + 23 * HOUR - MINUTE) == []
    assert sweep(DAY_7 + 23 * HOUR) == ["closed"]


@pytest.mark.parametrize("state", ["queued", "failed", "unknown", "cancelled"])
def test_a_warning_that_no_channel_took_closes_nothing(ticket, state):
    letters(ticket)[-1].state = MailState(state)
    for days in range(7, 60):
        assert set(sweep(NOW + days * DAY)) <= {"later"}
    assert ticket.state is TicketState.WAITING_USER


def test_the_notice_in_the_app_counts_alone_where_nothing_else_reaches(scene, ticket):
    letters(ticket)[-1].state = MailState.UNSENT  # there is no mail server
    assert sweep(DAY_7) == ["closed"]
    quiet = Scene(verified=False)
    other = quiet.waiting()
    assert sweep(WARNED) == ["warned"]
    assert letters(other) == []
    assert sweep(DAY_7) == ["closed"]


def link(scene):
    db.session.add(
        TelegramLink(
            user_id=scene.owner_id,
            telegram_id=int.from_bytes(scene.owner_id.encode()[-6:]),
            chat_id=7,
            name="Olga",
            created_at=NOW,
            confirmed_at=NOW,
        )
    )
    db.session.flush()


def calls(ticket):
    query = select(TelegramCall).where(TelegramCall.ticket_id == ticket.id)
    return list(db.session.scalars(query.where(TelegramCall.kind == reach.CALL)))


def test_with_telegram_linked_the_notice_does_not_count_alone(scene):
    link(scene)
    ticket = scene.waiting()
    sweep(WARNED)
    letters(ticket)[-1].state = MailState.UNSENT
    (call,) = calls(ticket)
    assert sweep(DAY_7) == ["later"]
    call.state, call.sent_at = CallState.SENT, DAY_7
    assert sweep(DAY_7 + 23 * HOUR) == ["later"]
    assert sweep(DAY_7 + 24 * HOUR) == ["closed"]


def bounce(scene):
    key = scene.owner.email_key
    db.session.merge(AddressHealth(email_key=key, score=4, scored_at=NOW, disabled_at=NOW))
    db.session.flush()


def test_an_address_that_bounces_stops_the_timer(scene, ticket):
    deliver(ticket, WARNED)
    bounce(scene)
    assert sweep(DAY_7) == ["later"]
    other = scene.waiting()
    assert sweep(WARNED) == ["later"]
    assert (ticket.state, other.warned_at) == ("waiting_user", None)


def test_with_telegram_a_bouncing_address_does_not(scene):
    link(scene)
    bounce(scene)
    scene.waiting()
    assert sweep(WARNED) == ["warned"]


@pytest.mark.parametrize(("state", "outcome"), [("failed", "later"), ("sent", "warned")])
def test_an_answer_that_arrived_nowhere_stops_the_timer(scene, state, outcome):
    ticket = scene.open()
    message = scene.answer(ticket, NOW)
    query = update(Mail).where(Mail.ticket_message_id == message.id)
    found = db.session.execute(query.values(state=MailState(state), sent_at=NOW))
    if not found.rowcount:
        db.session.add(carried(ticket, message, scene, MailState(state)))
    assert sweep(WARNED) == [outcome]


def carried(ticket, message, scene, state):
    return Mail(
        letter="ticket_answered",
        to_email=scene.owner.email,
        values={},
        message_id=new_id("m"),
        audience=Audience.USER,
        recipient_id=scene.owner_id,
        ticket_id=ticket.id,
        ticket_message_id=message.id,
        state=state,
        created_at=NOW,
        try_at=NOW,
    )


CANCELS = {
    "message on the web": lambda s, t: s.ask(t, WARNED + HOUR),
    "message by mail": lambda s, t: s.ask(t, WARNED + HOUR, channel="email"),
    "message by Telegram": lambda s, t: s.ask(t, WARNED + HOUR, channel="telegram"),
    "still need help": lambda s, t: moves.need_help(t, voice=s.user(), now=WARNED + HOUR),
    "answer": lambda s, t: s.answer(t, WARNED + HOUR),
    "hold": lambda s, t: moves.hold(t, voice=s.desk(), now=WARNED + HOUR),
    "solved": lambda s, t: moves.resolve(t, voice=s.user(), now=WARNED + HOUR),
    "incident": lambda _, t: tie(t),
}


def tie(ticket):
    incident = Incident(
        title="Down",
        state=IncidentState.IDENTIFIED,
        impact=Condition.DOWN,
        began_at=NOW,
        created_at=NOW,
    )
    db.session.add(incident)
    db.session.flush()
    ticket.incident_id = incident.id
    closing.restart(ticket, WARNED + HOUR)
    db.session.flush()


@pytest.mark.parametrize("how", CANCELS)
def test_what_cancels_a_warning(scene, ticket, how):
    deliver(ticket, WARNED)
    CANCELS[how](scene, ticket)
    db.session.flush()
    assert ticket.warned_at is None
    before = ticket.state
    assert sweep(DAY_7 + DAY) == []
    assert ticket.state is before


def test_after_that_the_next_closing_needs_another_warning(scene, ticket):
    deliver(ticket, WARNED)
    scene.ask(ticket, WARNED + HOUR)
    scene.answer(ticket, WARNED + 2 * HOUR)
    again = WARNED + 2 * HOUR + DAY_5
    assert sweep(again - DAY) == []
    assert sweep(again) == ["warned"]
    assert sweep(again + 2 * DAY) == ["later"]  # the letter of the first does not count
    deliver(ticket, again + 2 * DAY)
    assert sweep(again + 3 * DAY) == ["closed"]
    assert told(ticket).count("ticket.warn") == 2


KEEPS = {
    "note": lambda s, t: notes.add(t, "Still silent", voice=s.desk(), now=WARNED + HOUR),
    "automatic mail": lambda s, t: s.ask(t, WARNED + HOUR, channel="email", automatic=True),
    "automatic mail of the desk": lambda s, t: s.answer(t, WARNED + HOUR, automatic=True),
    "page view": lambda _, t: setattr(t, "seen_seq", t.last_seq),
    "soft bounce": lambda s, _: db.session.merge(
        AddressHealth(email_key=s.owner.email_key, score=1, scored_at=NOW)
    ),
    "category": lambda s, t: moves.sort(
        t, category="bot", priority=t.priority, voice=s.desk(), now=WARNED
    ),
}


@pytest.mark.parametrize("how", KEEPS)
def test_what_cancels_nothing(scene, ticket, how):
    deliver(ticket, WARNED)
    KEEPS[how](scene, ticket)
    db.session.flush()
    assert ticket.warned_at == WARNED
    assert sweep(DAY_7) == ["closed"]


def test_what_waits_for_the_desk_is_never_warned_nor_closed(scene):
    """Whatever its age, and whatever state somebody put it into."""
    asked, forced = scene.waiting(), scene.waiting()
    scene.ask(asked, NOW + HOUR)
    scene.ask(forced, NOW + HOUR)
    moves.move(forced, TicketState.WAITING_USER, "ticket.test", voice=scene.desk(), now=NOW + HOUR)
    fresh = scene.open()
    for days in range(0, 400, 20):
        assert set(sweep(NOW + days * DAY)) <= {"later"}
    assert [it.state for it in (asked, forced, fresh)] == ["open", "waiting_user", "new"]
    assert [it.warned_at for it in (asked, forced, fresh)] == [None] * 3


def test_a_reply_in_the_same_second_wins_in_every_interleaving(app, scene):
    """Both have read before either writes, in two real transactions; a dozen rounds."""
    for _ in range(6):
        ticket_id = scene.waiting().id
        sweep(WARNED)
        deliver(db.session.get(Ticket, ticket_id), WARNED)
        db.session.commit()

        def reply(name=ticket_id):
            ticket = db.session.get(Ticket, name)
            yield
            scene.ask(ticket, DAY_7)

        def close(name=ticket_id):
            db.session.get(Ticket, name)
            yield
            silence.look(name, DAY_7)

        assert at_once(app, reply, close) == [None, None]
        ticket = db.session.get(Ticket, ticket_id)
        assert (ticket.state, ticket.last_seq) == ("open", 3)
        assert replayed(ticket)
        moves.resolve(ticket, voice=scene.user(), now=DAY_7)
        db.session.commit()


def test_what_was_read_before_a_reply_closes_nothing(scene, ticket):
    """The timer decided on a ticket that changed before it wrote."""
    deliver(ticket, WARNED)
    db.session.commit()
    for values in ({"version": 99}, {"last_seq": 9}, {"state": "open"}, {"warned_at": None}):
        ticket = db.session.get(Ticket, ticket.id)
        assert silence._silent(ticket)
        changed = update(Ticket).where(Ticket.id == ticket.id).values(**values)
        db.session.execute(changed.execution_options(synchronize_session=False))
        assert silence._close(ticket, DAY_7) == ""
        db.session.rollback()
    assert told(ticket)[-1] == "ticket.warn"


@pytest.mark.parametrize(("moment", "outcome"), [(WARNED, "warned"), (DAY_7, "closed")])
def test_two_workers_warn_once_and_close_once(app, scene, moment, outcome):
    ticket_id = scene.waiting().id
    if outcome == "closed":
        sweep(WARNED)
        deliver(db.session.get(Ticket, ticket_id), WARNED)
    db.session.commit()
    found = []

    def work():
        due = silence.due(moment)
        yield
        found.extend(silence.look(it, moment) for it in due)

    assert at_once(app, work, work, work) == [None] * 3
    assert sorted(found) == sorted([*[""] * (len(found) - 1), outcome])
    ticket = db.session.get(Ticket, ticket_id)
    assert told(ticket).count("ticket.warn") == len(letters(ticket)) == 1
    assert len(notices(scene, "was closed")) == (outcome == "closed")


@pytest.mark.parametrize("engine_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("moment", "outcome"), [(WARNED, "warned"), (DAY_7, "closed")])
def test_a_timer_killed_anywhere_warns_once_and_closes_once(app, scene, moment, outcome):
    ticket_id = scene.waiting().id
    if outcome == "closed":
        sweep(WARNED)
        deliver(db.session.get(Ticket, ticket_id), WARNED)
    db.session.commit()
    before = told(db.session.get(Ticket, ticket_id))
    line = 1

    def work():
        assert sweep(moment) == [outcome]
        db.session.commit()

    while killed_at(line, "app/domain/support/", work):
        ticket = db.session.get(Ticket, ticket_id)
        assert (told(ticket), ticket.state) == (before, "waiting_user")
        line += 4
    ticket = db.session.get(Ticket, ticket_id)
    assert told(ticket) == [*before, "ticket.warn" if outcome == "warned" else "ticket.close"]
    assert sweep(moment) == []
    assert len(letters(ticket)) == 1


def test_a_timer_that_stood_still_for_a_month_warns_anew(scene, ticket):
    fresh = scene.waiting()
    deliver(ticket, WARNED)
    restart = WARNED + 30 * DAY
    assert sweep(restart) == ["warned", "warned"]
    for it in (ticket, fresh):
        assert (it.warned_at, it.close_due_at) == (restart, restart + DAY)
        deliver(it, restart + HOUR)
    assert sweep(restart + 24 * HOUR) == ["later", "later"]
    assert sweep(restart + 25 * HOUR) == ["closed", "closed"]
    assert [told(it).count("ticket.warn") for it in (ticket, fresh)] == [2, 1]


def test_what_piled_up_is_warned_little_by_little(scene):
    made = []
    for number in range(silence.AT_ONCE + 5):
        made.append(scene.waiting(NOW + number * 2 * HOUR))
        made[-1].state = TicketState.CLOSED  # ten may be open at once
        db.session.flush()
    for it in made:
        it.state = TicketState.WAITING_USER
    db.session.flush()
    later = NOW + 30 * DAY
    assert sweep(later) == ["warned"] * silence.AT_ONCE
    assert sweep(later) == ["warned"] * 5
    assert sweep(later) == []


def test_warnings_that_fall_due_together_are_spread(scene):
    moments = {scene.waiting().warn_due_at for _ in range(8)}
    assert len(moments) > 4
    late = timedelta(seconds=closing.SPREAD)
    assert all(NOW + 5 * DAY <= it < NOW + 5 * DAY + late for it in moments)


def test_a_clock_set_back_closes_nothing_early(ticket):
    deliver(ticket, WARNED)
    assert sweep(WARNED - 30 * MINUTE) == []
    assert sweep(NOW) == []
    assert ticket.state is TicketState.WAITING_USER


def test_one_click_reopens_what_the_timer_closed(scene, ticket):
    deliver(ticket, WARNED)
    sweep(DAY_7)
    moves.reopen(ticket, voice=scene.user(), now=DAY_7 + DAY)
    assert (ticket.state, ticket.reopen_count, ticket.warned_at) == ("open", 1, None)
    assert replayed(ticket)


def test_the_topic_of_what_the_timer_closed_is_closed_too(ticket):
    deliver(ticket, WARNED + MINUTE)
    assert sweep(DAY_7) == ["closed"]
    query = select(TelegramCall).where(TelegramCall.ticket_id == ticket.id)
    assert [it.kind for it in db.session.scalars(query)].count("topic") == 1
    assert replayed(ticket)


@pytest.mark.parametrize("state", ["failed", "unknown"])
def test_operators_hear_once_of_a_warning_that_was_lost_everywhere(scene, ticket, state):
    (letter,) = letters(ticket)
    letter.state = MailState(state)
    assert sweep(DAY_7) == ["later"]
    assert sweep(DAY_7 + DAY) == ["later"]
    query = select(Notice).where(Notice.title.contains("could not be reached"))
    heard = [it.user_id for it in db.session.scalars(query)]
    assert heard == ([scene.operator_id] if state == "failed" else []), "unknown is tried again"


def test_operators_hear_of_an_answer_that_arrived_nowhere(scene, ticket):
    bounce(scene)
    assert sweep(DAY_7) == ["later"]
    assert sweep(DAY_7 + DAY) == ["later"]
    query = select(Notice.user_id).where(Notice.title.contains("could not be reached"))
    assert list(db.session.scalars(query)) == [scene.operator_id]


def test_an_answer_that_was_taken_out_waits_for_nobody(scene):
    ticket = scene.open()
    answer = scene.answer(ticket, NOW)
    redacting.redact(ticket, answer, "Wrong ticket", voice=scene.desk(), now=NOW + MINUTE)
    assert (ticket.state, ticket.warn_due_at) == (TicketState.OPEN, None)
    assert sweep(DAY_7) == []
    assert replayed(ticket)
    first = scene.answer(ticket, NOW + HOUR)
    scene.answer(ticket, NOW + 2 * HOUR)
    redacting.redact(ticket, first, "A password", voice=scene.desk(), now=NOW + 3 * HOUR)
    assert ticket.state is TicketState.WAITING_USER, "a later answer still stands"
