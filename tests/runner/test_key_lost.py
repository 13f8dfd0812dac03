"""The venue stops taking the key in the middle of a flatten: nothing is lost, doubled or untold."""

from runner.errors import Operational
from runner.protocol import Command, CommandKind, EventKind, PositionState
from tests.runner.hand_desk import story

REFUSED = "the venue refuses the key"


def test_a_flatten_outlives_a_key_that_is_refused_meanwhile(tmp_path):
    async def act(h):
        def refuse():
            raise Operational(REFUSED)

        await h.enter()
        await h.tick(2)
        assert h.broker.is_covered()
        asked = len(h.broker.placed)
        h.broker._answer = refuse
        await h.loop._commands.take((Command("c1", CommandKind.FLATTEN),))
        for _ in range(60):
            await h.tick()
            h.loop._commands.look_after_flatten()
        assert h.broker.held
        assert h.broker.is_covered(), "its stop rests where it was"
        assert not h.told(EventKind.COMMAND_DONE)
        assert h.loop._reporter.sync().position_state is not PositionState.FLAT
        assert any(REFUSED in notice.text for notice in h.notices("refused"))
        assert len(h.broker.placed) == asked
        del h.broker._answer
        await h.tick(10)
        h.loop._commands.look_after_flatten()
        assert not h.broker.held
        assert not h.broker.stops()
        assert len(h.broker.placed) == asked + 1
        assert [done.id for done in h.told(EventKind.COMMAND_DONE)] == ["c1"]

    story(tmp_path, act)
