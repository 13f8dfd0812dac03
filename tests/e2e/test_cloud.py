"""A whole plutarc whose bots live in a cloud: a fake one, behind Google's own client library.

The machines run their real startup script and the real runner, fetched from the gate by its digest.
"""

import re
import shutil
from datetime import UTC, datetime, timedelta

import pytest

from tests.e2e.conftest import Installation
from tests.e2e.test_code import SOURCE as LIVING
from tests.e2e.test_story import quicken, visit
from tests.e2e.visitor import Visitor
from tests.fakes.gce import Cloud
from tests.fakes.gce_host import Computer
from tests.waiting import until

REGION = "europe-west1"
WORDS = "Quota 'INSTANCES' exceeded.  Limit: 0.0 in region europe-west1."


def boot_in(folder):
    """Starts the computer behind an instance; its directory is its own."""

    def boot(instance):
        place = folder / instance["name"]
        place.mkdir(parents=True, exist_ok=True)
        items = {item["key"]: item["value"] for item in instance["metadata"]["items"]}
        ip = instance["networkInterfaces"][0]["accessConfigs"][0]["natIP"]
        return Computer(place, items, ip)

    return boot


@pytest.fixture
def cloud(tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Cloud(boot=boot_in(tmp_path / "computers"), halt=Computer.power_off) as cloud:
        yield cloud
        assert cloud.violations() == []
        assert cloud.problems() == []


@pytest.fixture
def visitor(cloud, tmp_path):
    settings = {
        "DEMO": "0",
        "COMPUTE_DRIVER": "gce",
        "GCE_PROJECT": cloud.behaviour.project,
        "GCE_REGIONS": REGION,
        "GCE_API_ENDPOINT": cloud.url,
        "GCE_CREDENTIALS": "anonymous",
        "SLEEP_MIN_GAP": "5s",
        "SLEEP_FLAT_FOR": "3s",
        "WAKE_LEAD_MIN": "3s",
        "NO_PROXY": "127.0.0.1",
    }
    made = Installation(tmp_path, **settings).start()
    yield Visitor(made.base)
    made.stop()
    shutil.rmtree(tmp_path / "computers", ignore_errors=True)


def bot_of(visitor):
    """Somebody signs up and makes a bot that trades every few seconds; stopped so far."""
    visitor.open("/signup").submit(
        "/signup", name="Ada", email="ada@example.com", password="seven quiet harbours"
    )
    home = visitor.url
    visitor.open(f"{home}bots/new").submit(
        "/bots/new", name="Tide", strategy="template:fast_ema_demo", start=None
    )
    bot = visitor.url
    quicken(visitor, home)
    visitor.open(f"{bot}/edit")
    versions = [o.get("value") for o in visitor.page.by_id("version").all("option")]
    visitor.submit("/edit", version=versions[0])
    return bot


def addresses(cloud):
    found = cloud.snapshot()["addresses"]
    return [it["address"] for it in found if "address" in it]


def machines(cloud):
    return [it["name"].rpartition("-")[2] for it in cloud.snapshot()["instances"]]


def test_a_bot_lives_in_the_cloud_and_wakes_at_the_same_address(visitor, cloud):
    bot = bot_of(visitor)
    (address,) = until("an address", lambda: addresses(cloud))
    until("the page shows it", lambda: address in visit(visitor, bot))

    # The cloud has no room: the page says so in the cloud's own words, and then there is some.
    cloud.fail_next("insert", "QUOTA_EXCEEDED", WORDS, httpErrorStatusCode=403)
    visitor.submit("/start")
    until("blocked", lambda: "blocked" in visit(visitor, bot))
    assert "Quota 'INSTANCES' exceeded" in visitor.text
    assert machines(cloud) == []
    visitor.submit("/stop")
    visitor.open(bot).submit("/start")
    until("a closed trade", lambda: re.search(r"[1-9]\d* closed trade", visit(visitor, bot)))
    (first,) = machines(cloud)

    # Stopped, it finishes, and its machine goes; the address stays.
    visitor.submit("/stop")
    until("finishing", lambda: re.search("finishing|stopped", visit(visitor, bot)))
    if visitor.offers("/flatten"):
        visitor.submit("/flatten")
    until("no machine", lambda: not machines(cloud))
    until("stopped", lambda: "stopped" in visit(visitor, bot))
    assert cloud.snapshot()["disks"] == []
    assert addresses(cloud) == [address]

    visitor.submit("/start")
    until("awake again", lambda: "awake" in visit(visitor, bot))
    (second,) = cloud.snapshot()["instances"]
    assert second["name"].rpartition("-")[2] != first
    assert second["networkInterfaces"][0]["accessConfigs"][0]["natIP"] == address


def test_a_code_strategy_is_tried_and_traded_on_machines_of_the_cloud_alone(visitor, cloud):
    visitor.open("/signup").submit(
        "/signup", name="Ada", email="ada@example.com", password="seven quiet harbours"
    )
    home = visitor.url
    visitor.open(f"{home}strategies/code").submit("/code", name="Living", source=LIVING)
    dry_run = visitor.url
    asked = until("a machine", lambda: cloud.snapshot()["instances"])
    assert "machine of its own that has no keys" in visitor.open(dry_run).text
    (made,) = asked
    items = {item["key"]: item["value"] for item in made["metadata"]["items"]}
    assert (items["plutarc-work"], made.get("serviceAccounts")) == ("task", None)
    assert made["scheduling"]["instanceTerminationAction"] == "DELETE"
    assert int(made["scheduling"]["maxRunDuration"]["seconds"]) < 3600
    until("it passed", lambda: "It passed" in visitor.open(dry_run).text)
    until("its machine is gone", lambda: not machines(cloud))
    assert cloud.snapshot()["disks"] == []

    visitor.open(dry_run).submit("/version")
    visitor.open(f"{home}bots/new")
    choices = visitor.page.by_id("strategy").all("option")
    version = next(o.get("value") for o in choices if o.get("value", "").startswith("stv_"))
    visitor.submit("/bots/new", name="Coded", strategy=version, start="y")
    bot = visitor.url
    until("the class is asked", lambda: "life 1 with" in visit(visitor, f"{bot}/decisions"))
    (own,) = cloud.snapshot()["instances"]
    assert own["name"].startswith("b-")

    # A backtest beside it; the machine of the bot is left alone.
    visitor.open(f"{home}backtests/new?version={version}")
    lately = datetime.now(UTC) - timedelta(minutes=5)
    period = {"since": lately - timedelta(minutes=2), "until": lately}
    words = {name: moment.strftime("%Y-%m-%d %H:%M") for name, moment in period.items()}
    visitor.submit("/backtests/new", **words)
    backtest = visitor.url
    two = until("a machine beside it", lambda: beside(cloud))
    assert own["name"] in two
    until("its result", lambda: "Net profit" in visit(visitor, backtest))
    until("the bot's alone", lambda: names_of(cloud) == [own["name"]])


def names_of(cloud):
    return [it["name"] for it in cloud.snapshot()["instances"]]


def beside(cloud):
    found = names_of(cloud)
    return found if len(found) == 2 else None
