"""Every way in which the cloud can say no, or nothing, and what the driver makes of it."""

from dataclasses import replace

import pytest
from google.api_core import exceptions
from google.auth.exceptions import DefaultCredentialsError, RefreshError, TransportError
from google.cloud import compute_v1

from app.gateways.compute import gce_calls, gce_errors
from app.gateways.compute.driver import AddressState, Cause, MachineState, Outcome
from app.gateways.compute.gce import GceDriver
from app.gateways.compute.gce_machines import MachineSteps
from tests.gateways.compute.gce_world import OTHER_ZONE, REGION, ZONE, settings

RATE = {"code": 403, "reason": "rateLimitExceeded"}


@pytest.mark.parametrize(
    ("error", "outcome", "cause"),
    [
        ({"code": 403, "reason": "quotaExceeded"}, Outcome.FAILED, Cause.QUOTA),
        (RATE, Outcome.RETRY, Cause.RATE),
        (
            RATE | {"info": "CONCURRENT_OPERATIONS_QUOTA_EXCEEDED"},
            Outcome.RETRY,
            Cause.RATE,
        ),
        ({"code": 403, "reason": "forbidden"}, Outcome.FAILED, Cause.PERMISSION),
        ({"code": 403, "reason": "accessNotConfigured"}, Outcome.FAILED, Cause.PERMISSION),
        ({"code": 401, "reason": "authError"}, Outcome.FAILED, Cause.PERMISSION),
        ({"code": 429, "reason": "tooManyRequests"}, Outcome.RETRY, Cause.RATE),
        ({"code": 400, "reason": "invalid"}, Outcome.FAILED, Cause.INVALID),
        ({"code": 404, "reason": "notFound"}, Outcome.FAILED, Cause.INVALID),
        ({"code": 409, "reason": "alreadyExists"}, Outcome.RETRY, Cause.CONFLICT),
        ({"code": 412, "reason": "conditionNotMet"}, Outcome.RETRY, Cause.CONFLICT),
        ({"code": 400, "reason": "resourceNotReady"}, Outcome.RETRY, Cause.TRANSIENT),
        ({"code": 400, "reason": "resourceInUseByAnotherResource"}, Outcome.RETRY, Cause.HELD),
        ({"code": 500, "reason": "backendError"}, Outcome.UNKNOWN, Cause.TRANSIENT),
        ({"code": 502, "html": True}, Outcome.UNKNOWN, Cause.TRANSIENT),
        ({"code": 503, "reason": "backendError"}, Outcome.UNKNOWN, Cause.TRANSIENT),
        ({"code": 504, "reason": "backendError"}, Outcome.UNKNOWN, Cause.TRANSIENT),
    ],
)
def test_a_refused_insertion(gce, error, outcome, cause):
    ip = gce.reserved()
    gce.cloud.fault("POST instances", "error_before", message="Words of the cloud.", **error)
    result = gce.do("insert_machine", ip=ip)
    assert (result.outcome, result.cause) == (outcome, cause)
    # A page of HTML says nothing, and anonymous credentials cannot be renewed after a 401.
    if not error.get("html") and error["code"] != 401:
        assert result.detail == "Words of the cloud."
    assert gce.instances() == []


@pytest.mark.parametrize("fields", [True, False])
@pytest.mark.parametrize(
    ("code", "outcome", "cause"),
    [
        ("ZONE_RESOURCE_POOL_EXHAUSTED", Outcome.RETRY, Cause.CAPACITY),
        ("ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS", Outcome.RETRY, Cause.CAPACITY),
        ("INTERNAL_ERROR", Outcome.RETRY, Cause.CAPACITY),
        ("QUOTA_EXCEEDED", Outcome.FAILED, Cause.QUOTA),
        ("PERMISSIONS_ERROR", Outcome.FAILED, Cause.PERMISSION),
        ("RESOURCE_OPERATION_RATE_EXCEEDED", Outcome.RETRY, Cause.RATE),
        ("IP_IN_USE_BY_ANOTHER_RESOURCE", Outcome.RETRY, Cause.HELD),
        ("RESOURCE_NOT_FOUND", Outcome.FAILED, Cause.INVALID),
        ("RESOURCE_NOT_READY", Outcome.RETRY, Cause.TRANSIENT),
        ("SOMETHING_NEW", Outcome.FAILED, Cause.INVALID),
    ],
)
def test_an_operation_that_failed_is_read_with_and_without_its_fields(
    gce, code, outcome, cause, fields
):
    ip = gce.reserved()
    gce.cloud.fail_next("insert", code, "In its own words.", fields=fields)
    result = gce.finish("insert_machine", ip=ip)
    assert (result.outcome, result.cause) == (outcome, cause)
    assert "In its own words." in result.detail
    assert gce.do("observe_machine").machine is MachineState.ABSENT


def test_an_error_of_another_kind_of_step_is_no_want_of_capacity(gce):
    gce.running()
    gce.cloud.fail_next("delete", "INTERNAL_ERROR")
    assert gce.finish("delete_machine").cause is Cause.TRANSIENT
    assert gce.finish("delete_machine").machine is MachineState.ABSENT


def test_a_stockout_is_seen_meanwhile_and_another_zone_serves(gce):
    ip = gce.reserved()
    gce.cloud.stockout(ZONE)
    step = gce.step("insert_machine", ip=ip)
    first = gce.driver.do(step)
    assert gce.do("observe_machine").machine is MachineState.STARTING
    gce.cloud.advance(5)
    result = gce.driver.do(replace(step, operation=first.operation))
    assert (result.outcome, result.cause) == (Outcome.RETRY, Cause.CAPACITY)
    assert gce.do("observe_machine").machine is MachineState.ABSENT
    assert gce.finish("insert_machine", ip=ip, zone=OTHER_ZONE).machine is MachineState.RUNNING


@pytest.mark.parametrize("sync", [True, False])
def test_reached_quotas(gce, sync):
    gce.cloud.configure(static_addresses=1, in_use_addresses=0, quota_sync=sync)
    ip = gce.reserved()
    result = gce.finish("reserve_address", bot="bot_two")
    assert (result.outcome, result.cause) == (Outcome.FAILED, Cause.QUOTA)
    assert "STATIC_ADDRESSES" in result.detail
    result = gce.finish("insert_machine", ip=ip)
    assert (result.outcome, result.cause) == (Outcome.FAILED, Cause.QUOTA)
    assert "IN_USE_ADDRESSES" in result.detail


def test_too_many_operations_at_once(gce):
    gce.cloud.configure(operations_in_flight=1)
    assert gce.do("reserve_address").outcome is Outcome.PENDING
    result = gce.do("reserve_address", bot="bot_two")
    assert (result.outcome, result.cause) == (Outcome.RETRY, Cause.RATE)


@pytest.mark.parametrize("kind", ["reserve_address", "insert_machine"])
@pytest.mark.parametrize("mode", ["drop_after", "error_after"])
def test_an_answer_lost_after_the_deed_is_unknown_and_the_deed_is_found(gce, kind, mode):
    ip = gce.reserved(bot="bot_one") if kind == "insert_machine" else None
    what = "instances" if ip else "addresses"
    gce.cloud.fault(f"POST {what}", mode)
    assert gce.do(kind, ip=ip).outcome is Outcome.UNKNOWN
    result = gce.finish(kind, ip=ip)
    assert result.outcome is Outcome.DONE
    assert gce.changes().count(f"POST {what}") == 1


@pytest.mark.parametrize("kind", ["reserve_address", "insert_machine"])
def test_a_call_lost_before_the_deed_is_made_again(gce, kind):
    ip = gce.reserved() if kind == "insert_machine" else None
    gce.cloud.fault("POST *", "drop_before")
    assert gce.do(kind, ip=ip).outcome is Outcome.UNKNOWN
    assert gce.finish(kind, ip=ip).outcome is Outcome.DONE


@pytest.mark.parametrize("mode", ["drop_before", "drop_after", "error_after"])
def test_a_lost_deletion(gce, mode):
    gce.running()
    gce.cloud.fault("DELETE instances", mode)
    assert gce.do("delete_machine").outcome is Outcome.UNKNOWN
    assert gce.finish("delete_machine").machine is MachineState.ABSENT


def test_a_server_that_hangs_is_left_soon(gce, monkeypatch):
    monkeypatch.setitem(gce_calls._ONCE, "timeout", 6.0)
    ip = gce.reserved()
    gce.cloud.fault("GET instances", "hang", seconds=100)
    result = gce.do("observe_machine")
    assert (result.outcome, result.cause) == (Outcome.RETRY, Cause.TRANSIENT)
    gce.cloud.fault("POST instances", "hang", seconds=100)
    assert gce.do("insert_machine", ip=ip).outcome is Outcome.UNKNOWN


def test_no_call_may_take_longer_than_a_job():
    assert gce_calls._ONCE == {"retry": None, "timeout": 15.0}


@pytest.mark.parametrize("error", [{"code": 503}, {"code": 500}, {"code": 502, "html": True}, RATE])
def test_what_cannot_be_seen_now_is_looked_at_later(gce, error):
    gce.running()
    gce.cloud.fault("GET instances", "error_before", **error)
    result = gce.do("observe_machine")
    assert result.outcome is Outcome.RETRY
    assert result.machine is None
    gce.cloud.fault("GET instances", "error_before", **error)
    assert gce.do("delete_machine").outcome is Outcome.RETRY
    assert len(gce.instances()) == 1


def test_a_forgotten_operation_says_nothing_and_the_thing_itself_does(gce):
    ip = gce.reserved()
    step = gce.step("insert_machine", ip=ip)
    first = gce.driver.do(step)
    gce.cloud.configure(operation_ttl=60)
    gce.cloud.advance(3600)
    again = gce.driver.do(replace(step, operation=first.operation))
    assert (again.outcome, again.machine) == (Outcome.DONE, MachineState.RUNNING)
    gce.cloud.delete_by_hand("b-one-g1")
    gce.cloud.advance(10)
    gone = gce.driver.do(replace(step, operation=first.operation))
    assert (gone.outcome, gone.machine) == (Outcome.UNKNOWN, MachineState.ABSENT)


@pytest.mark.parametrize("sync", [True, False])
def test_the_address_is_the_mutex_also_where_the_looks_were_too_early(gce, monkeypatch, sync):
    gce.cloud.configure(held_sync=sync)
    ip = gce.running()
    monkeypatch.setattr(MachineSteps, "_refusal", lambda self, step: None)
    result = gce.finish("insert_machine", ip=ip, generation=2, zone=OTHER_ZONE)
    assert (result.outcome, result.cause, result.holder) == (
        Outcome.RETRY, Cause.HELD, "b-one-g1"
    )  # fmt: skip
    assert [machine["name"] for machine in gce.instances()] == ["b-one-g1"]


def test_the_holder_of_an_address_is_named(gce):
    ip = gce.running()
    result = gce.do("insert_machine", ip=ip, generation=2)
    assert (result.outcome, result.cause, result.holder) == (
        Outcome.RETRY, Cause.HELD, "b-one-g1"
    )  # fmt: skip
    assert result.address is AddressState.IN_USE
    assert gce.changes() == ["POST addresses", "POST instances"]


def test_a_lost_address_is_lost_and_no_other_one_is_reserved(gce):
    ip = gce.reserved()
    gce.cloud.release_by_hand("b-one-ip")
    for kind in ("insert_machine", "reserve_address"):
        result = gce.do(kind, ip=ip)
        assert (result.outcome, result.cause) == (Outcome.FAILED, Cause.LOST)
    seen = gce.do("observe_address", ip=ip)
    assert (seen.address, seen.cause) == (AddressState.ABSENT, Cause.LOST)
    gce.reserved()
    for kind in ("insert_machine", "reserve_address", "observe_address"):
        assert gce.do(kind, ip=ip).cause is Cause.LOST
    assert gce.instances() == []


def test_the_cloud_s_own_word_for_a_lost_address(gce, monkeypatch):
    ip = gce.reserved()
    gce.cloud.release_by_hand("b-one-ip")
    monkeypatch.setattr(MachineSteps, "_refusal", lambda self, step: None)
    assert gce.do("insert_machine", ip=ip).cause is Cause.LOST


def test_tiers_must_agree(gce):
    ip = gce.reserved()
    other = gce.another(network_tier="PREMIUM")
    result = other.do(gce.step("insert_machine", ip=ip))
    assert (result.outcome, result.cause) == (Outcome.FAILED, Cause.INVALID)
    result = other.do(gce.step("reserve_address"))
    assert (result.outcome, result.cause) == (Outcome.FAILED, Cause.INVALID)
    assert "GCE_NETWORK_TIER" in result.detail


def test_a_wrong_project_is_told_in_the_cloud_s_words(gce):
    result = gce.another(project="another-project").do(gce.step("reserve_address"))
    assert (result.outcome, result.cause) == (Outcome.FAILED, Cause.INVALID)
    assert "another-project" in result.detail


@pytest.mark.parametrize("kind", ["observe_machine", "delete_machine", "observe_address"])
@pytest.mark.parametrize(
    "where", [{"project": "another-project"}, {"region": "asia-east1", "zone": "asia-east1-a"}]
)
def test_a_place_that_is_not_there_proves_no_absence(gce, kind, where):
    gce.running()
    driver = gce.another(**{k: v for k, v in where.items() if k == "project"})
    step = gce.step(kind, **{k: v for k, v in where.items() if k != "project"})
    result = driver.do(step)
    assert (result.outcome, result.cause) == (Outcome.FAILED, Cause.INVALID)
    assert result.machine is None
    assert result.address is None


def test_a_cloud_that_is_not_there(gce):
    nowhere = GceDriver(settings(gce.cloud, endpoint="http://127.0.0.1:1"), lambda step: {})
    assert nowhere.do(gce.step("observe_machine")).outcome is Outcome.RETRY
    assert not nowhere.survey((REGION,)).complete


def test_a_failed_preparation_is_passed_on(gce):
    ip = gce.reserved()
    refusal = gce_errors.Result(Outcome.RETRY, "the runner was not built")
    driver = GceDriver(settings(gce.cloud), lambda step: refusal)
    assert driver.do(gce.step("insert_machine", ip=ip)) == refusal
    assert gce.instances() == []


@pytest.mark.parametrize(
    ("error", "outcome", "cause"),
    [
        (TransportError("no metadata server"), Outcome.RETRY, Cause.TRANSIENT),
        (RefreshError("revoked"), Outcome.FAILED, Cause.PERMISSION),
        (DefaultCredentialsError("none"), Outcome.FAILED, Cause.PERMISSION),
        (exceptions.BadRequest("nonsense"), Outcome.FAILED, Cause.INVALID),
        (RuntimeError("?"), Outcome.UNKNOWN, Cause.TRANSIENT),
    ],
)
def test_errors_that_no_cloud_sends(error, outcome, cause):
    result = gce_errors.of_exception(error, writing=True)
    assert (result.outcome, result.cause) == (outcome, cause)


@pytest.mark.parametrize(
    ("status", "outcome", "cause"),
    [
        (503, Outcome.RETRY, Cause.TRANSIENT),
        (403, Outcome.FAILED, Cause.PERMISSION),
        (400, Outcome.FAILED, Cause.INVALID),
    ],
)
def test_an_operation_with_a_status_and_no_errors(status, outcome, cause):
    operation = compute_v1.Operation(http_error_status_code=status, http_error_message="No.")
    result = gce_errors.of_operation(operation, inserting=False)
    assert (result.outcome, result.cause, result.detail) == (outcome, cause, "No.")


def test_no_detail_holds_a_secret(gce):
    ip = gce.reserved()
    gce.cloud.fault("POST instances", "error_before", code=400, reason="invalid")
    step = gce.step("insert_machine", ip=ip, environment={"PLUTARC_TOKEN": "t0ken-Zx98q"})
    assert "Zx98q" not in repr(gce.driver.do(step))
    assert "Zx98q" not in repr(step)
