"""The operators' fleet: looking, filtering, paging, and each verb with its one event."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from app.extensions import db
from app.models import (
    AlarmKind,
    AuditEvent,
    BotCompute,
    CloudFind,
    CloudOperation,
    CloudRegion,
    FindKind,
    FindState,
    FleetAlarm,
    FleetUpgrade,
    Machine,
    MachineConsole,
    OperationState,
    Phase,
    Renewal,
    SweepRun,
    UpgradeState,
)
from tests import factories, site, telling
from tests.pages import Pages
from tests.views import desk as console

FLEET = "/operator/fleet"
WORDS = "Quota 'STATIC_ADDRESSES' exceeded. Limit: 8.0 in region local."


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    """An application of its own: its pages show all bots there are."""
    return site.build(tmp_path_factory.mktemp("office"))


@pytest.fixture(scope="module")
def opal(office):
    return console.made(office, "Opal")


@pytest.fixture
def operator(office, opal):
    pages = Pages(office)
    pages.become(opal.email)
    return pages


@pytest.fixture(scope="module")
def bots(office):
    """One awake on an older runner, one blocked, sixty asleep."""
    now = datetime.now(UTC)
    with site.rows(office) as session:
        workspace = factories.organisation(now=now)
        version = factories.strategy(workspace, now=now).latest
        made = [factories.bot(workspace, now=now, version=version) for _ in range(62)]
        for number, bot in enumerate(made):
            compute = session.get_one(BotCompute, bot.id)
            compute.phase, compute.phase_since = Phase.ASLEEP, now - timedelta(minutes=number)
        awake, blocked = made[:2]
        machine = telling.awake(awake, now)
        machine.wanted_at = machine.created_at - timedelta(seconds=3)
        machine.inserted_at = machine.created_at + timedelta(seconds=7)
        machine.running_at = machine.created_at + timedelta(seconds=20)
        machine.claimed_at = machine.created_at + timedelta(seconds=61)
        machine.runner_version = "0.0.9"
        session.add(MachineConsole(machine_id=machine.id, text="kernel: <panic>", read_at=now))
        compute = session.get_one(BotCompute, blocked.id)
        compute.phase, compute.problem, compute.cause = Phase.BLOCKED, WORDS, "quota"
        compute.retry_at = now + timedelta(minutes=15)
        own = {"workspace_id": workspace.id, "bot_id": blocked.id, "generation": 1}
        session.add(
            CloudOperation(
                **own,
                kind="insert_machine",
                request_id="r1",
                state=OperationState.FAILED,
                detail=WORDS,
                started_at=now,
            )
        )
        session.flush()
        return {
            "awake": awake.id,
            "blocked": blocked.id,
            "machine": machine.id,
            "workspace": workspace.id,
            "names": [bot.name for bot in made],
            "ids": [bot.id for bot in made],
        }


def events(office, target):
    with site.rows(office):
        query = select(AuditEvent).where(AuditEvent.target_id == target).order_by(AuditEvent.seq)
        return [(it.action, it.reason) for it in db.session.scalars(query)]


def row(office, kind, key):
    with site.rows(office):
        found = db.session.get(kind, key)
        db.session.expunge_all()
        return found


def told(page):
    """The bots of the list, in its order."""
    links = [a.get("href") for a in page.by_id("machines").all("a")]
    return [it.rpartition("/")[2] for it in links if "/bots/" in it]


def test_every_bot_once_over_all_pages_and_none_by_name(operator, bots):
    page, seen = operator.get(FLEET), []
    while True:
        seen += told(page)
        onward = [a.get("href") for a in page.all("a") if a.text.startswith("Next ")]
        if not onward:
            break
        page = operator.get(onward[0])
    assert sorted(seen) == sorted(bots["ids"])
    assert len(seen) == len(set(seen))
    assert operator.links("First page")
    text = operator.get(FLEET).text
    assert WORDS in text
    assert "insert machine: failed" in text
    assert not [name for name in bots["names"] if f" {name} " in text]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("phase=ready", ["awake"]),
        ("phase=blocked&region=local", ["blocked"]),
        ("troubled=y", ["blocked"]),
        ("region=mars", []),
        ("phase=nonsense&after=nonsense&troubled=y", ["blocked"]),
        ("after=0001-01-01T00:00:00%2B14:00~x&troubled=y", ["blocked"]),
    ],
)
def test_filters(operator, bots, office, query, expected):
    with site.rows(office):  # its machine has just spoken
        db.session.get_one(Machine, bots["machine"]).synced_at = datetime.now(UTC)
    page = operator.get(f"{FLEET}?{query}")
    found = told(page) if page.by_id("machines") else []
    assert found == [bots[name] for name in expected]
    if not expected:
        assert "Nobody is as you asked for." in page.text


def test_the_list_is_polled_and_says_when_nothing_is_new(operator, bots):
    page = operator.get(f"{FLEET}?phase=ready")
    poll = page.by_id("fleet_rows").get("hx-get")
    assert "phase=ready" in poll
    fresh = operator.fragment(poll)
    assert operator.fragment(fresh.by_id("fleet_rows").get("hx-get"), 204) == ""


def test_a_bot_s_story_and_a_retry(operator, bots, office):
    address = f"{FLEET}/bots/{bots['blocked']}"
    with site.rows(office) as session:  # whoever opened its region had it look at once
        compute = session.get_one(BotCompute, bots["blocked"])
        compute.retry_at = datetime.now(UTC) + timedelta(minutes=15)
    page = operator.get(address)
    assert WORDS in page.text
    assert "Raise the quota" in page.text
    operator.post(f"{address}/retry")
    assert row(office, BotCompute, bots["blocked"]).retry_at is None
    assert events(office, bots["blocked"])[-1][0] == "bot.retry"
    operator.post(f"{address}/retry", 409)
    assert operator.fragment(f"{address}/live").by_id("fleet_story")
    operator.get(f"{FLEET}/bots/bot_nothing", 404)


def test_a_machine_s_story_with_what_it_wrote(operator, bots):
    page = operator.get(f"{FLEET}/machines/{bots['machine']}")
    took = [it.text for it in page.by_class("way")[0].all("dd")]
    assert took == ["3 s", "7 s", "13 s", "41 s", "1 min 4 s"]
    assert "kernel: <panic>" in page.text
    operator.get(f"{FLEET}/machines/mch_nothing", 404)


def test_renewing_a_machine(operator, bots, office):
    address = f"{FLEET}/bots/{bots['awake']}"
    operator.get(address)
    operator.post(f"{address}/renew", 422, policy="drain", why="")
    operator.post(f"{address}/renew", policy="drain", why="slow disk")
    assert row(office, BotCompute, bots["awake"]).renewal is Renewal.DRAIN
    assert events(office, bots["awake"])[-1] == ("bot.renew", "slow disk")
    operator.get(address)
    operator.post(f"{address}/renew/off")
    assert row(office, BotCompute, bots["awake"]).renewal is None
    operator.post(f"{address}/renew/off", 409)
    operator.post(f"{FLEET}/bots/{bots['blocked']}/renew", 422, policy="drain", why="x")


def test_an_upgrade_from_the_page(operator, bots, office):
    page = operator.get(f"{FLEET}/upgrades")
    assert "0.0.9" in page.text
    operator.post(f"{FLEET}/upgrades", 422, policy="drain", at_once="0")
    page = operator.post(f"{FLEET}/upgrades", policy="when_flat", at_once="")
    with site.rows(office):
        made = db.session.scalars(select(FleetUpgrade)).one()
        number = made.id
        assert (made.policy, made.at_once, made.total) == (Renewal.WHEN_FLAT, 5, 1)
    operator.post(f"{FLEET}/upgrades", 422, policy="drain")
    operator.post(f"{FLEET}/upgrades/{number}/pause")
    operator.post(f"{FLEET}/upgrades/{number}/resume")
    assert operator.fragment(f"{FLEET}/upgrades/live").by_id("upgrade")
    page = operator.post(f"{FLEET}/upgrades/{number}/cancel")
    assert row(office, FleetUpgrade, number).state is UpgradeState.CANCELLED
    operator.post(f"{FLEET}/upgrades/{number}/resume", 409)
    assert [it[0] for it in events(office, number)] == [
        "fleet.upgrade_start",
        "fleet.upgrade_paused",
        "fleet.upgrade_running",
        "fleet.upgrade_cancelled",
    ]


def test_a_region_is_shut_and_opened(operator, office):
    operator.get(f"{FLEET}/regions/local/shut")
    operator.post(f"{FLEET}/regions/local/shut", 422, hours="0", why="x")
    operator.post(f"{FLEET}/regions/local/shut", 422, hours="2", why="")
    page = operator.post(f"{FLEET}/regions/local/shut", hours="2", why="The host is replaced.")
    assert "The host is replaced." in page.text
    assert row(office, CloudRegion, "local").shut_cause == "operator"
    operator.post(f"{FLEET}/regions/local/open")
    assert row(office, CloudRegion, "local").shut_until is None
    operator.post(f"{FLEET}/regions/local/open", 409)
    operator.post(f"{FLEET}/regions/mars/shut", 404, hours="1", why="x")
    assert [it[0] for it in events(office, "local")] == ["region.shut", "region.open"]


def test_quotas_and_alarms(operator, office, opal):
    now = datetime.now(UTC)
    with site.rows(office) as session:
        region = session.get(CloudRegion, "local") or CloudRegion(region="local")
        region.quotas, region.seen_at = {"STATIC_ADDRESSES": [7.0, 8.0], "CPUS": [1, 24]}, now
        told = {"message": "It is late.", "since": now, "seen_at": now}
        alarm = FleetAlarm(kind=AlarmKind.LATE_WAKE, key="late x", **told)
        session.add_all([region, alarm])
        session.flush()
        number = alarm.id
    page = operator.get(FLEET)
    assert page.text.index("7 of 8") < page.text.index("1 of 24"), "the fullest first"
    assert "It is late." in page.text
    operator.post(f"{FLEET}/alarms/{number}/take")
    assert row(office, FleetAlarm, number).taken_by == opal.id
    assert "taken by Opal" in operator.get(FLEET).text
    operator.post(f"{FLEET}/alarms/{number}/take", 409)
    assert [it[0] for it in events(office, number)] == ["fleet.alarm_take"]
    operator.post(f"{FLEET}/alarms/alm_nothing/take", 404)


def test_finds_are_kept_or_deleted(operator, office):
    now = datetime.now(UTC)
    with site.rows(office) as session:
        own = {"region": "local", "first_seen": now, "last_seen": now, "kind": FindKind.DISK}
        found = [
            CloudFind(name=f"b-{'z' * 26}-g{it}", state=FindState.HELD, **own) for it in (1, 2)
        ]
        session.add_all([*found, SweepRun(at=now, complete=False, refused="3 machines would go")])
        session.flush()
        kept, gone = (it.id for it in found)
    page = operator.get(f"{FLEET}/sweeps")
    assert "3 machines would go" in page.text
    operator.post(f"{FLEET}/finds/{kept}/keep")
    operator.post(f"{FLEET}/finds/{gone}/delete")
    assert row(office, CloudFind, kept).state is FindState.KEPT
    assert row(office, CloudFind, gone).state is FindState.DELETING
    operator.post(f"{FLEET}/finds/{gone}/keep", 409)
    operator.post(f"{FLEET}/finds/fnd_nothing/keep", 404)


def test_an_empty_fleet_says_so(tmp_path):
    house = site.build(tmp_path)
    email = console.made(house, "Opal").email
    pages = Pages(house)
    pages.become(email)
    page = pages.get(FLEET)
    assert "There are no bots yet" in page.text
    assert not page.by_id("fleet_rows").get("hx-get"), "nothing moves, nothing is asked"
    assert "Nothing: all that is in the cloud" in pages.get(f"{FLEET}/sweeps").text
    assert not pages.get(f"{FLEET}/upgrades").by_id("upgrade").get("hx-get")


def test_to_others_there_is_no_fleet(office, bots):
    with site.rows(office):
        email = factories.user("Sam").email
    pages = Pages(office)
    pages.become(email)
    for path in (FLEET, f"{FLEET}/bots/{bots['awake']}", f"{FLEET}/upgrades", f"{FLEET}/sweeps"):
        pages.get(path, 404)
    pages.post(f"{FLEET}/bots/{bots['awake']}/renew", 404, policy="drain", why="x")
