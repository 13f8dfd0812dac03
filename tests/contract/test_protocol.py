"""Every message against its golden file: both sides read the same bytes."""

import json
from pathlib import Path

import pytest

from runner import protocol
from runner.protocol import (
    Claim,
    ClaimAnswer,
    Event,
    EventKind,
    ProtocolError,
    Sync,
    SyncAnswer,
    dumps,
    from_plain,
    loads,
    payload,
    to_plain,
)

HERE = Path(__file__).parent
MESSAGES = {
    "claim": Claim,
    "claim_answer_paper": ClaimAnswer,
    "claim_answer_testnet": ClaimAnswer,
    "sync": Sync,
    "sync_answer": SyncAnswer,
    "task_claim": protocol.TaskClaim,
    "task": protocol.Task,
    "task_report": protocol.TaskReport,
    "task_part": protocol.TaskPart,
    "task_wanted": protocol.TaskWanted,
    "task_answer": protocol.TaskAnswer,
    "certify_claim": protocol.CertifyClaim,
    "certify": protocol.Certify,
}
EVENTS = {f"event_{kind.value}": kind for kind in EventKind}


def golden(name):
    return (HERE / f"{name}.json").read_bytes()


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_reads_and_writes_its_golden_file(name):
    message = loads(MESSAGES[name], golden(name))
    assert json.loads(dumps(message)) == json.loads(golden(name))
    assert from_plain(MESSAGES[name], to_plain(message)) == message


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_reads_and_writes_its_golden_file(name):
    event = loads(Event, golden(name))
    assert event.kind is EVENTS[name]
    typed = payload(event)
    assert type(typed) is protocol.PAYLOADS[event.kind]
    assert to_plain(typed) == event.data
    assert json.loads(dumps(event)) == json.loads(golden(name))


def test_each_file_here_is_read():
    files = {path.stem for path in HERE.glob("*.json")}
    assert files == {*MESSAGES, *EVENTS}


def test_a_reader_ignores_what_it_does_not_know():
    plain = json.loads(golden("sync_answer"))
    plain["from_the_future"] = {"x": 1}
    assert from_plain(SyncAnswer, plain) == loads(SyncAnswer, golden("sync_answer"))


@pytest.mark.parametrize("field", ["claim_id", "batch", "position_state", "drained"])
def test_a_missing_field_is_named(field):
    plain = json.loads(golden("sync"))
    del plain[field]
    with pytest.raises(ProtocolError, match=rf"Sync\.{field}: missing"):
        from_plain(Sync, plain)


def test_secrets_stay_out_of_what_is_printed():
    answer = loads(ClaimAnswer, golden("claim_answer_testnet"))
    assert answer.credentials.secret
    for hidden in (answer.credentials.secret, answer.credentials.api_key, answer.claim_id):
        assert hidden not in repr(answer)
    claim = loads(Claim, golden("claim"))
    assert claim.token not in repr(claim)
