"""The drill against a fake cloud: it measures, writes, and leaves nothing behind."""

import pytest

from app.gateways.compute import gce_drill
from tests.fakes.gce import Cloud

GCE = {
    "COMPUTE_DRIVER": "gce",
    "GCE_PROJECT": "demo-project",
    "GCE_REGIONS": "europe-west1",
    "GCE_CREDENTIALS": "anonymous",
    "RUNNER_BASE_URL": "http://127.0.0.1:8001",
}


@pytest.fixture
def cloud(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(gce_drill, "PAUSE", 0.02)
    with Cloud() as cloud:
        yield cloud


@pytest.fixture
def house(sqlite_url, build, cloud):
    return build(sqlite_url, GCE_API_ENDPOINT=cloud.url, **GCE)


def nothing_is_left(cloud):
    seen = cloud.snapshot()
    return not (seen["instances"] or seen["addresses"] or seen["disks"])


def test_every_fact_is_measured_and_nothing_is_left(house, cloud, tmp_path):
    report = tmp_path / "gce.md"
    told = house.run("gce-drill", str(report), "--yes", "--runs", "2")
    assert told.exit_code == 0, told.output
    assert "less than $0.10" in told.output
    text = report.read_text()
    assert "europe-west1-b" in text
    assert text.count("\n| ") == 1 + 10
    assert text.count("not measured") == 1  # the hour
    assert "IP_IN_USE_BY_ANOTHER_RESOURCE" in text
    assert "resourceInUseByAnotherResource" in text
    assert "Left behind: nothing." in text
    assert nothing_is_left(cloud)
    assert cloud.violations() == []


def test_the_facts_differ_where_the_cloud_does(house, cloud, tmp_path):
    cloud.configure(held_sync=True, address_labels=False, error_fields=False)
    report = tmp_path / "gce.md"
    assert house.run("gce-drill", str(report), "--yes", "--runs", "1").exit_code == 0
    text = report.read_text()
    assert "at once: 400 invalid" in text
    assert "| no: {} |" in text
    assert nothing_is_left(cloud)


def test_it_asks_before_it_spends(house, cloud, tmp_path):
    told = house.run("gce-drill", str(tmp_path / "gce.md"))
    assert told.exit_code == 1
    assert "Aborted" in told.output
    assert cloud.calls() == []


def test_a_refused_call_is_no_fact_and_is_tidied_up_after(house, cloud, tmp_path):
    cloud.configure(in_use_addresses=0)
    report = tmp_path / "gce.md"
    assert house.run("gce-drill", str(report), "--yes").exit_code == 0
    assert "not measured: Quota 'IN_USE_ADDRESSES' exceeded" in report.read_text()
    assert nothing_is_left(cloud)


def test_it_needs_a_cloud(sqlite_url, build, tmp_path):
    told = build(sqlite_url).run("gce-drill", str(tmp_path / "gce.md"))
    assert told.exit_code == 1
    assert "COMPUTE_DRIVER is not gce" in told.output


def test_a_cloud_that_does_not_answer(house, cloud, tmp_path):
    cloud.fault("GET regions", "error_before", code=403, reason="forbidden", message="No Zx98q.")
    told = house.run("gce-drill", str(tmp_path / "gce.md"), "--yes")
    assert told.exit_code == 1
    assert "No Zx98q." in told.output
