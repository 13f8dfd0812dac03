"""The way of a signal from its sender to its end, on each database, and texts no database takes."""

import json

from app.models import SignalState
from runner.protocol import SignalOutcome
from tests.domain.signals.conftest import Ears, done


def test_from_the_sender_to_the_order(app, keys):
    ears = Ears(keys)
    ears.wake()
    name = ears.send(comment="\ud800\x00 naïve 🙂", id="\x00\ud83d").signal
    assert ears.send(comment="again", id="\x00\ud83d").status == 200
    assert ears.knock(json.dumps(ears.message(secret="\ud800")).encode()).status == 404
    assert [signal.id for signal in ears.sync()] == [name]
    assert ears.sync(done(name, SignalOutcome.ENTERED, order="pl-1")) == ()
    states = {row.state for row in ears.rows()}
    assert states == {SignalState.DECIDED, SignalState.REJECTED}
