"""The two-person rule: who may ask, who may answer, and what a request is good for."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from app.domain import approval_records as records
from app.domain import (
    approval_subjects,
    approvals,
    bot_raises,
    bot_rules,
    bot_safety,
    bots,
    ceilings,
    commands,
    connections,
    going_live,
    holders,
    protection,
    revisions,
)
from app.domain.approval_subjects import end_two_person, go_live, raise_ceilings, raise_limits
from app.domain.ceilings import Ceilings
from app.domain.errors import Conflict, Invalid, Refused, TooMany
from app.domain.letters import House, render
from app.domain.revisions import Safety
from app.extensions import db
from app.gateways.vault import Sealer
from app.models import (
    Approval,
    ApprovalKind,
    ApprovalState,
    AuditEvent,
    Bot,
    Mail,
    Membership,
    Notice,
    Role,
    TotpFactor,
    User,
    Wish,
)
from runner.protocol import CommandKind, Limits, Mode, OnEnd, PositionState, to_plain
from tests import factories, golive
from tests.domain.test_bots import awake, commands_of
from tests.domain.test_ceilings import at_once
from tests.factories import NOW, TESTER

LOW = Limits(max_position_notional=Decimal(500), max_daily_loss=Decimal(50))
HIGH = replace(LOW, max_position_notional=Decimal(900))
DAY = timedelta(hours=24)
PEOPLE = (Role.OWNER, Role.ADMIN, Role.MANAGER, Role.TRADER, Role.VIEWER)


def link_to(approval_id):
    return f"https://plutarc.test/{approval_id}"


class Desk:
    """A workspace under the rule, with one person of each role and a second manager."""

    def __init__(self, keys):
        self.workspace = factories.organisation(factories.user("Olive"))
        for role in PEOPLE[1:]:
            factories.joined(self.workspace, role, role.title())
        factories.joined(self.workspace, Role.MANAGER, "Second")
        self.sealer = Sealer(keys.public)
        self.bot = factories.bot(self.workspace, limits=LOW)
        self.workspace.two_person = True
        db.session.commit()

    def member(self, name):
        found = holders.active(self.workspace)
        return next(m for m in found if m.user.name == name or m.role == name.lower())

    def act(self, subject, name="Trader", reason="The market is calm", now=NOW):
        member = self.member(name)
        found = approvals.act(subject, member, reason=reason, link_to=link_to, by=TESTER, now=now)
        db.session.commit()
        return found

    def ask(self, name="Trader", limits=HIGH, **values):
        return self.act(raise_limits(self.bot, limits), name, **values)

    def approve(self, approval, name="Manager", now=NOW):
        try:
            found = approvals.approve(
                approval, self.member(name), link_to=link_to, by=TESTER, now=now
            )
            db.session.commit()
        except Exception:
            db.session.rollback()
            raise
        return found

    def reject(self, approval, name="Manager"):
        member = self.member(name)
        values = {"answer": "Not this week", "link_to": link_to, "by": TESTER, "now": NOW}
        approvals.reject(approval, member, **values)
        db.session.commit()

    def cancel(self, approval, name="Trader"):
        approvals.cancel(approval, self.member(name), by=TESTER, now=NOW)
        db.session.commit()

    @property
    def largest(self):
        return db.session.get_one(Bot, self.bot.id).limits["max_position_notional"]

    def events(self):
        query = select(AuditEvent).where(AuditEvent.chain == self.workspace.id)
        wanted = query.where(AuditEvent.correlation_id.is_not(None)).order_by(AuditEvent.seq)
        return list(db.session.scalars(wanted))


@pytest.fixture
def desk(app, keys):
    return Desk(keys)


def test_a_trader_asks_a_manager_approves_and_it_is_done(desk):
    approval = desk.ask()
    assert desk.largest == "500"
    assert desk.approve(approval) is ApprovalState.APPROVED
    assert desk.largest == "900"
    assert commands_of(desk.bot) == {CommandKind.RELOAD}
    (told,) = commands.pending(desk.bot.id)
    assert told.arguments == {"limits": desk.bot.limits}


def test_each_act_is_one_event_tied_to_the_request(desk):
    approval = desk.ask()
    desk.approve(approval)
    events = desk.events()
    assert [event.action for event in events] == [
        "approval.request",
        "bot.limits",
        "approval.approve",
    ]
    assert {event.correlation_id for event in events} == {approval.id}
    assert {event.target_id for event in events} == {desk.bot.id}
    diff = [{"field": "max_position_notional", "before": "500", "after": "900"}]
    assert events[0].changes == events[2].changes == approval.changes == diff


@pytest.mark.parametrize("role", PEOPLE[:3])
def test_nobody_approves_their_own_whatever_the_role(desk, role):
    approval = desk.ask(role)
    assert approval is not None
    with pytest.raises(Refused, match="asked for this yourself"):
        desk.approve(approval, role)
    assert desk.largest == "500"


@pytest.mark.parametrize("role", ["Trader", "Viewer"])
def test_who_lacks_the_right_approves_nothing(desk, role):
    approval = desk.ask("Second")
    with pytest.raises(Refused, match=r"risk\.manage"):
        desk.approve(approval, role)
    with pytest.raises(Refused, match=r"risk\.manage"):
        desk.reject(approval, role)


def test_the_right_is_looked_at_when_it_is_used(desk):
    approval = desk.ask()
    manager = desk.member("Manager")
    manager.role = Role.TRADER
    db.session.commit()
    with pytest.raises(Refused, match=r"risk\.manage"):
        desk.approve(approval, "Manager")


def test_a_right_taken_away_behind_the_session_counts(desk):
    approval = desk.ask()
    manager = desk.member("Manager")
    statement = db.update(Membership).where(Membership.id == manager.id)
    options = {"synchronize_session": False}
    db.session.execute(statement.values(suspended_at=NOW), execution_options=options)
    with pytest.raises(Refused, match="no longer an active member"):
        approvals.approve(approval, manager, link_to=link_to, by=TESTER, now=NOW)


def test_a_viewer_may_not_even_ask(desk):
    with pytest.raises(Refused, match=r"bot\.configure"):
        desk.ask("Viewer")
    with pytest.raises(Refused, match=r"risk\.manage"):
        desk.act(raise_ceilings(desk.workspace, Ceilings()), "Trader")


def test_a_request_is_good_once(desk):
    approval = desk.ask()
    desk.approve(approval)
    with pytest.raises(Conflict, match="approved already"):
        desk.approve(approval, "Second")


@pytest.mark.parametrize("end", ["approve", "reject", "cancel"])
def test_what_has_ended_stays_ended(desk, end):
    approval = desk.ask()
    getattr(desk, end)(approval)
    state = approval.state
    for then in ("approve", "reject", "cancel"):
        with pytest.raises(Conflict, match="already"):
            getattr(desk, then)(approval)
        db.session.rollback()
    assert approval.state is state is not ApprovalState.PENDING


def test_after_a_day_it_has_expired(desk):
    approval = desk.ask()
    late = NOW + DAY
    assert records.standing(approval, desk.member("Manager"), late).state is ApprovalState.EXPIRED
    assert desk.approve(approval, now=late) is ApprovalState.EXPIRED
    assert desk.largest == "500"
    assert desk.events()[-1].action == "approval.expire"


def test_the_sweep_closes_what_nobody_answered_and_tells_who_asked(desk):
    approval = desk.ask()
    assert not approvals.expire_one(NOW + DAY - timedelta(seconds=1))
    assert approvals.expire_one(NOW + DAY)
    db.session.commit()
    assert not approvals.expire_one(NOW + DAY)
    assert approval.state is ApprovalState.EXPIRED
    notices = select(Notice.title).where(Notice.user_id == approval.requested_by)
    assert "expired without an answer" in db.session.scalars(notices).one()


def changed_limits(desk):
    bots.configure(
        desk.bot,
        name=desk.bot.name,
        version=desk.bot.version,
        symbols=tuple(desk.bot.symbols),
        limits=replace(LOW, max_open_positions=1),
        by=TESTER,
        now=NOW,
    )


def changed_symbols(desk):
    bots.configure(
        desk.bot,
        name=desk.bot.name,
        version=desk.bot.version,
        symbols=("ETH/USDT:USDT",),
        limits=LOW,
        by=TESTER,
        now=NOW,
    )


def changed_version(desk):
    bots.configure(
        desk.bot,
        name=desk.bot.name,
        version=factories.strategy(desk.workspace, "ema_trend").latest,
        symbols=tuple(desk.bot.symbols),
        limits=LOW,
        by=TESTER,
        now=NOW,
    )


def changed_mode(desk):
    account = factories.connection(desk.workspace, desk.sealer)
    bots.switch_mode(desk.bot, Mode.TESTNET, account, by=TESTER, now=NOW)


@pytest.mark.parametrize(
    "changed", [changed_limits, changed_symbols, changed_version, changed_mode]
)
def test_any_change_of_what_it_is_about_voids_it(desk, changed):
    approval = desk.ask()
    changed(desk)
    db.session.commit()
    assert records.standing(approval, desk.member("Manager"), NOW).stale
    assert desk.approve(approval) is ApprovalState.VOID
    assert desk.largest == "500"
    assert desk.events()[-1].action == "approval.void"


def test_another_key_voids_it(desk):
    changed_mode(desk)
    approval = desk.ask()
    connection = desk.bot.testnet_connection
    connection.account_digest = "another"
    db.session.commit()
    assert desk.approve(approval) is ApprovalState.VOID


def test_a_new_name_or_schedule_voids_nothing(desk):
    approval = desk.ask()
    desk.bot.name = "Renamed"
    bots.start(desk.bot, by=TESTER, now=NOW)
    db.session.commit()
    assert desk.approve(approval) is ApprovalState.APPROVED


@pytest.mark.parametrize("gone", ["suspended", "removed", "demoted"])
def test_without_who_asked_there_is_nothing_to_approve(desk, gone):
    approval = desk.ask()
    trader = desk.member("Trader")
    if gone == "suspended":
        trader.suspended_at = NOW
    elif gone == "demoted":
        trader.role = Role.VIEWER
    else:
        db.session.delete(trader)
    db.session.commit()
    assert desk.approve(approval) is ApprovalState.VOID
    assert desk.largest == "500"


def test_a_reason_is_needed(desk):
    with pytest.raises(Invalid) as refusal:
        desk.ask(reason=" ")
    assert refusal.value.field == "reason"


def test_the_same_is_asked_for_once_at_a_time(desk):
    approval = desk.ask()
    with pytest.raises(Conflict, match="Trader has asked for this already"):
        desk.ask("Second")
    desk.cancel(approval)
    assert desk.ask("Second") is not None


def test_nobody_writes_to_the_others_all_day(desk):
    for _ in range(approvals.MOST_A_DAY):
        desk.cancel(desk.ask())
    with pytest.raises(TooMany) as refusal:
        desk.ask(now=NOW + timedelta(hours=1))
    assert refusal.value.wait == 23 * 3600 + 1
    db.session.rollback()
    assert desk.ask("Second") is not None


def test_only_who_asked_takes_it_back(desk):
    approval = desk.ask()
    with pytest.raises(Refused, match="Only who asked"):
        desk.cancel(approval, "Owner")


def test_where_nobody_could_approve_nothing_is_asked(desk):
    for name in ("Admin", "Manager", "Second"):
        desk.member(name).suspended_at = NOW
    db.session.commit()
    with pytest.raises(Refused, match="Nobody else here"):
        desk.ask("Owner")


def test_without_the_rule_who_holds_the_right_needs_nobody(desk):
    desk.workspace.two_person = False
    db.session.commit()
    assert desk.ask("Manager") is None
    assert desk.largest == "900"


def test_without_the_rule_a_trader_still_asks(desk):
    desk.workspace.two_person = False
    db.session.commit()
    approval = desk.ask("Trader")
    assert desk.approve(approval) is ApprovalState.APPROVED


def test_configuring_raises_no_limit(desk):
    desk.workspace.two_person = False
    with pytest.raises(Refused, match="Largest position"):
        bots.configure(
            desk.bot,
            name=desk.bot.name,
            version=desk.bot.version,
            symbols=tuple(desk.bot.symbols),
            limits=HIGH,
            by=TESTER,
            now=NOW,
        )


def test_those_who_may_answer_hear_of_it_and_then_who_asked(desk):
    approval = desk.ask()
    told = select(User.name).join(Notice, Notice.user_id == User.id)
    assert set(db.session.scalars(told)) == {"Olive", "Admin", "Manager", "Second"}
    asked = db.session.scalars(select(Mail).where(Mail.letter == "approval_requested")).all()
    assert {mail.to_name for mail in asked} == {"Olive", "Admin", "Manager", "Second"}
    assert all(mail.values["link"] == link_to(approval.id) for mail in asked)
    desk.reject(approval)
    answered = db.session.scalars(select(Mail).where(Mail.letter == "approval_answered")).one()
    assert answered.to_name == "Trader"
    assert answered.values["became"] == "rejected"
    assert answered.values["answer"] == "Not this week"


def test_the_letters_read_well(desk):
    ceilings.change(desk.workspace, Ceilings(modes=(Mode.PAPER,)), by=TESTER, now=NOW)
    asked = [desk.ask(limits=replace(HIGH, max_daily_loss=None))]
    asked.append(desk.act(raise_ceilings(desk.workspace, Ceilings()), "Owner"))
    for approval in asked:
        desk.reject(approval, "Admin")
    house = House("plutarc", "https://plutarc.test")
    letters = db.session.scalars(select(Mail).where(Mail.letter.like("approval_%"))).all()
    read = [render(it.letter, it.values, name=it.to_name, house=house) for it in letters]
    whole = "\n".join(it.subject + it.text + it.html for it in read)
    for said in (
        f"Trader asks you to approve: raise limits ({desk.bot.name})",
        "Largest position: 500 -> 900",
        "Daily loss limit: 50 → none",
        "Modes: paper -> none",
        "Raise the ceilings (Harbour Desk): rejected",
        "Not this week",
        "https://plutarc.test/apr_",
    ):
        assert said in whole


def test_stop_pause_flatten_and_panic_wait_for_nobody(desk):
    """However many requests are open, and whoever asks: they know nothing of approvals."""
    awake(desk.bot, PositionState.OPEN)
    bots.start(desk.bot, by=TESTER, now=NOW)
    approval = desk.ask()
    for verb in (bots.pause, bots.flatten, bots.stop):
        verb(desk.bot, by=TESTER, now=NOW)
    assert approval.state is ApprovalState.PENDING
    assert {CommandKind.PAUSE_ENTRIES, CommandKind.FLATTEN} <= commands_of(desk.bot)


def test_two_who_approve_at_once_do_it_once(app, desk):
    approval_id = desk.ask().id
    users = [desk.member(name).id for name in ("Manager", "Second")]
    db.session.remove()

    def approving(member_id):
        def work():
            approvals.approve(
                db.session.get_one(Approval, approval_id),
                db.session.get_one(Membership, member_id),
                link_to=link_to,
                by=TESTER,
                now=NOW,
            )

        return work

    outcomes = at_once(app, *map(approving, users))
    assert sorted(type(item).__name__ for item in outcomes) == ["Conflict", "NoneType"]
    query = select(AuditEvent.action).where(AuditEvent.correlation_id == approval_id)
    actions = list(db.session.scalars(query))
    assert sorted(actions) == ["approval.approve", "approval.request", "bot.limits"]


def test_an_approval_and_a_change_at_once_never_both_count(app, desk):
    """Either the change came first and voids it, or it finds the limits raised already."""
    approval_id, bot_id = desk.ask().id, desk.bot.id
    manager = desk.member("Manager").id
    db.session.remove()

    def approving():
        member = db.session.get_one(Membership, manager)
        approval = db.session.get_one(Approval, approval_id)
        approvals.approve(approval, member, link_to=link_to, by=TESTER, now=NOW)

    def changing():
        desk.bot = db.session.get_one(Bot, bot_id)
        changed_limits(desk)

    assert at_once(app, approving, changing)[0] is None
    state = db.session.get_one(Approval, approval_id).state
    largest = db.session.get_one(Bot, bot_id).limits["max_position_notional"]
    assert (state, largest) in {(ApprovalState.VOID, "500"), (ApprovalState.APPROVED, "500")}


# -- ceilings and the rule itself ------------------------------------------------------------------


def test_higher_ceilings_are_asked_for(desk):
    ceilings.change(desk.workspace, Ceilings(max_notional=Decimal(5)), by=TESTER, now=NOW)
    higher = Ceilings(max_notional=Decimal(50))
    approval = desk.act(raise_ceilings(desk.workspace, higher), "Manager")
    assert ceilings.of(desk.workspace).max_notional == 5
    assert desk.approve(approval, "Admin") is ApprovalState.APPROVED
    assert ceilings.of(desk.workspace) == higher


def test_ceilings_changed_meanwhile_void_the_request(desk):
    ceilings.change(desk.workspace, Ceilings(max_notional=Decimal(5)), by=TESTER, now=NOW)
    wanted = raise_ceilings(desk.workspace, Ceilings(max_notional=Decimal(50)))
    approval = desk.act(wanted, "Manager")
    ceilings.change(desk.workspace, Ceilings(max_notional=Decimal(4)), by=TESTER, now=NOW)
    db.session.commit()
    assert desk.approve(approval, "Admin") is ApprovalState.VOID


def test_the_rule_is_ended_by_two_of_whom_one_owns(desk):
    with pytest.raises(Refused, match="Only an owner"):
        desk.act(end_two_person(desk.workspace), "Admin")
    approval = desk.act(end_two_person(desk.workspace), "Owner")
    assert desk.workspace.two_person
    with pytest.raises(Refused, match=r"workspace\.security"):
        desk.approve(approval, "Manager")
    assert desk.approve(approval, "Admin") is ApprovalState.APPROVED
    assert not desk.workspace.two_person


def test_an_owner_alone_does_not_end_the_rule(desk):
    now_off = replace(protection.of(desk.workspace), two_person=False)
    with pytest.raises(Refused, match="another person must approve"):
        protection.change(desk.member("Owner"), now_off, by=TESTER, now=NOW)


# -- live, with the switch on ----------------------------------------------------------------------


@pytest.fixture
def live(desk, monkeypatch):
    """The switch on, a venue with a live mode, a key seen to be good, people with two factors."""
    golive.open_live(monkeypatch)
    for member in holders.active(desk.workspace):
        factor = TotpFactor(user_id=member.user_id, sealed=b"-", created_at=NOW, confirmed_at=NOW)
        db.session.add(factor)
    desk.key = golive.key(desk.workspace, desk.sealer)
    golive.seen(desk.bot, desk.key)
    db.session.commit()
    return desk


def wanted(desk, safety=None, now=NOW, **values):
    return go_live(desk.bot, desk.key, safety or Safety(), now, **values)


def test_live_is_refused_at_an_exchange_without_it(desk):
    with pytest.raises(Invalid, match="Practice market has no live mode"):
        go_live(desk.bot, None, Safety(), NOW)


def test_a_trader_asks_to_go_live_and_a_manager_approves(live):
    approval = live.act(wanted(live))
    assert live.bot.mode is Mode.PAPER
    assert live.approve(approval) is ApprovalState.APPROVED
    assert live.bot.mode is Mode.LIVE
    assert live.bot.live_connection_id == live.key.id
    assert revisions.stands(live.bot)
    assert [event.action for event in live.events()] == [
        "approval.request",
        "bot.mode",
        "approval.approve",
    ]


def test_both_read_what_it_goes_live_with(live):
    safety = Safety(Decimal(5), OnEnd.FLATTEN, 10)
    approval = live.act(wanted(live, safety))
    told = {change["field"]: change["after"] for change in approval.changes}
    assert told == {
        "mode": "live",
        "connection": live.key.label,
        "disaster_stop_percent": "5",
        "on_end": "flatten",
        "grace_minutes": 10,
        "approved": True,
    }
    live.approve(approval)
    assert revisions.safety_of(live.bot) == safety


@pytest.fixture
def unseen(live, monkeypatch):
    golive.nobody_has_seen_it(monkeypatch)
    return live


def test_without_the_acknowledgement_not_even_a_request_is_made(unseen):
    with pytest.raises(Invalid, match="Nobody has seen plutarc trade"):
        unseen.act(wanted(unseen))
    assert db.session.scalars(select(Approval)).all() == []


def test_the_acknowledgement_is_kept_with_the_request_and_read_by_who_approves(unseen):
    approval = unseen.act(wanted(unseen, acknowledged=golive.UNSEEN))
    assert approval.wanted["acknowledged"] == golive.UNSEEN
    letter = db.session.scalars(select(Mail).where(Mail.letter == "approval_requested")).first()
    (line,) = [it for it in letter.values["changes"] if it["field"] == "Acknowledged"]
    assert line["after"] == golive.UNSEEN
    assert unseen.approve(approval) is ApprovalState.APPROVED
    assert unseen.bot.mode is Mode.LIVE
    told = {"field": "acknowledged", "before": None, "after": golive.UNSEEN}
    assert all(told in event.changes for event in unseen.events())
    assert len(unseen.events()) == 3


def test_what_was_acknowledged_is_approved_no_more_once_it_says_something_else(unseen, monkeypatch):
    approval = unseen.act(wanted(unseen, acknowledged=golive.UNSEEN))
    golive.nobody_has_seen_it(monkeypatch, "Never proven: that it takes an order.")
    assert records.standing(approval, unseen.member("Manager"), NOW).stale
    assert unseen.approve(approval) is ApprovalState.VOID
    assert unseen.bot.mode is Mode.PAPER


def test_a_request_that_lacks_the_acknowledgement_is_not_carried_out(unseen):
    """However it came to be kept without."""
    approval = unseen.act(wanted(unseen, acknowledged=golive.UNSEEN))
    approval.wanted = {k: v for k, v in approval.wanted.items() if k != "acknowledged"}
    approval.digest = approval_subjects.digest(records.subject_of(approval))
    db.session.commit()
    with pytest.raises(Invalid, match="Nobody has seen plutarc trade"):
        unseen.approve(approval)
    assert (unseen.bot.mode, approval.state) == (Mode.PAPER, ApprovalState.PENDING)


def test_going_live_takes_two_factors_of_both(live):
    approval = live.act(wanted(live))
    db.session.delete(db.session.get_one(TotpFactor, live.member("Manager").user_id))
    db.session.commit()
    with pytest.raises(Refused, match="second factor"):
        live.approve(approval)
    live.cancel(approval)
    db.session.delete(db.session.get_one(TotpFactor, live.member("Trader").user_id))
    db.session.commit()
    with pytest.raises(Refused, match="second factor"):
        live.act(wanted(live))


def test_going_live_is_no_switch_and_no_birth(live):
    with pytest.raises(Refused, match="asked for"):
        bots.switch_mode(live.bot, Mode.LIVE, live.key, by=TESTER, now=NOW)
    with pytest.raises(Refused, match="begins in paper"):
        factories.bot(live.workspace, mode=Mode.LIVE, connection=live.key)


def test_going_live_needs_limits_and_a_live_key_of_this_workspace(live, keys):
    bare = factories.bot(live.workspace)
    with pytest.raises(Refused, match="Largest position and Daily loss limit"):
        go_live(bare, live.key, Safety(), NOW)
    testnet = factories.connection(live.workspace, live.sealer)
    with pytest.raises(Invalid, match="Choose a live connection"):
        go_live(live.bot, testnet, Safety(), NOW)


def test_a_live_bot_keeps_what_it_was_approved_with(live):
    live.approve(live.act(wanted(live)))
    for changed in (changed_symbols, changed_version):
        with pytest.raises(Refused, match="keeps the strategy and the symbols"):
            changed(live)
        db.session.rollback()
    bots.switch_mode(live.bot, Mode.PAPER, None, by=TESTER, now=NOW)
    assert live.bot.approved_revision is None
    changed_symbols(live)


@pytest.mark.parametrize("name", bot_rules.NEEDED_LIMITS)
def test_a_live_bot_loses_no_limit_that_it_needs(live, name):
    approval = live.ask(limits=replace(LOW, **{name: None}))
    live.approve(live.act(wanted(live)))
    with pytest.raises(Refused, match="needs risk limits"):
        raise_limits(live.bot, replace(LOW, **{name: None}))
    live.cancel(approval)
    with pytest.raises(Refused, match="needs risk limits"):
        bot_raises.set_limits(live.bot, replace(LOW, **{name: None}), by=TESTER, now=NOW)
    db.session.rollback()
    bot_raises.set_limits(live.bot, HIGH, by=TESTER, now=NOW)
    live.bot.limits = to_plain(replace(LOW, **{name: None}))
    with pytest.raises(Refused, match="needs risk limits"):
        bots.start(live.bot, by=TESTER, now=NOW)


def test_another_disaster_stop_of_a_live_bot_is_approved_anew(live):
    live.approve(live.act(wanted(live)))
    with pytest.raises(Refused, match="new approval"):
        bot_safety.prepare(live.bot, live.key, Safety(Decimal(9)), by=TESTER, now=NOW)
    approval = live.act(wanted(live, Safety(Decimal(9))))
    assert live.bot.disaster_stop_percent is None
    assert live.approve(approval) is ApprovalState.APPROVED
    assert live.bot.disaster_stop_percent == Decimal(9)
    assert revisions.stands(live.bot)


def test_another_disaster_stop_meanwhile_voids_the_request(live):
    approval = live.act(wanted(live))
    bot_safety.prepare(live.bot, live.key, Safety(Decimal(9)), by=TESTER, now=NOW)
    db.session.commit()
    assert live.approve(approval) is ApprovalState.VOID


def test_what_was_not_approved_neither_starts_nor_resumes_and_always_stops(live):
    live.approve(live.act(wanted(live)))
    live.key.account_digest = "another key of the same connection"
    live.bot.paused = True
    db.session.commit()
    for verb in (bots.start, bots.resume):
        with pytest.raises(Refused, match="changed since it was approved"):
            verb(live.bot, by=TESTER, now=NOW)
    live.bot.wish = Wish.FOLLOW
    bots.stop(live.bot, by=TESTER, now=NOW)
    assert live.bot.wish is Wish.REST
    live.approve(live.act(wanted(live)))
    bots.start(live.bot, by=TESTER, now=NOW)


def test_a_position_taken_meanwhile_keeps_the_bot_out_of_live(live):
    approval = live.act(wanted(live))
    awake(live.bot, PositionState.OPEN)
    db.session.commit()
    with pytest.raises(Refused, match="Flatten it"):
        live.approve(approval)
    assert approval.state is ApprovalState.PENDING


def test_a_check_that_grew_old_meanwhile_keeps_the_bot_out_of_live(live):
    live.key.checked_at = NOW - going_live.CHECK_AGE
    db.session.commit()
    approval = live.act(wanted(live))
    with pytest.raises(Refused, match="24 hours ago"):
        live.approve(approval, now=NOW + timedelta(seconds=1))
    assert live.bot.mode is Mode.PAPER


@pytest.mark.parametrize("change", ["replaced", "gone", "off"])
def test_another_live_key_voids_the_request(live, change):
    approval = live.act(wanted(live))
    if change == "replaced":
        live.key.account_digest = "another"
    elif change == "off":
        live.key.inactive_at = NOW
    else:
        connections.delete(live.key, by=TESTER, now=NOW)
    db.session.commit()
    assert live.approve(approval) is ApprovalState.VOID


def test_every_kind_has_its_right_its_asking_right_and_its_words():
    for table in ("RIGHTS", "ASKING", "TITLES"):
        assert set(getattr(approval_subjects, table)) == set(ApprovalKind)
