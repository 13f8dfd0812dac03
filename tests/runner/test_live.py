"""The real bundle against the real practice market, with a small gate of the test's own.

A story mostly waits for the market's clock, so the stories of one test run side by side.
"""

import resource
import signal
import traceback
from concurrent.futures import ThreadPoolExecutor
from itertools import count

from runner.protocol import (
    CommandKind,
    Credentials,
    EventKind,
    Mode,
    OnEnd,
    OrderStatus,
    PositionState,
    ProtectionState,
    Side,
    payload,
)
from tests.runner.gate import Gate
from tests.runner.machine import Runner, configuration, demo_rules, practice_credentials
from tests.waiting import PATIENCE

SOURCES = (f"127.66.0.{n}" for n in count(1))
"""Each bot has an address of its own: they share no request limit, as machines do not."""


def eager():
    """Rules that enter at almost any move and leave soon, so that a test need not wait long."""
    rules = demo_rules(time_stop={"candles": 2})
    rules["signals"] = [{"kind": "donchian_breakout", "weight": 1.0, "params": {"period": 2}}]
    return rules


def long_lived():
    """The same, but whatever is entered stays until somebody ends it."""
    rules = eager()
    for rule in rules["exits"]:
        rule["enabled"] = rule["kind"] == "stop_loss"
        if rule["enabled"]:
            rule["params"]["percent"] = 20
    return rules


def gate_for(practice, mode, **changes):
    credentials = practice_credentials() if mode is Mode.TESTNET else None
    settings = {"rules": eager(), **changes}
    gate = Gate(configuration(practice.url, mode, **settings), credentials)
    gate.address = next(SOURCES)
    return gate


def is_open(gate):
    return bool(gate.syncs) and gate.syncs[-1].position_state is PositionState.OPEN


def held(gate):
    fills = gate.told(EventKind.FILL)
    return sum(f.quantity if f.side.value == "buy" else -f.quantity for f in fills)


def held_at_the_end_of(gate, command):
    """What was held when the command was acknowledged."""
    quantity = 0
    for event in gate.events:
        told = payload(event)
        if event.kind is EventKind.FILL:
            quantity += told.quantity if told.side is Side.BUY else -told.quantity
        elif event.kind is EventKind.COMMAND_DONE and told.id == command.id:
            return quantity
    raise AssertionError(f"{command} was not acknowledged")


def assert_adds_up(gate):
    """Every order's filled quantity equals the fills told, and no fill was told twice."""
    # An order may be told by one report and its fills by the next.
    gate.wait(lambda: all(filled == executed for filled, executed in quantities(gate)))
    fills = gate.told(EventKind.FILL)
    assert len({f.trade_id for f in fills}) == len(fills)
    assert all(f.fee > 0 for f in fills)


def quantities(gate):
    """Of each order: how much it says was filled, and how much its fills say."""
    orders = {o.client_id: o for o in gate.told(EventKind.ORDER)}
    fills = gate.told(EventKind.FILL)
    for order in orders.values():
        yield order.filled, sum(f.quantity for f in fills if f.client_id == order.client_id)


def trades_drains_and_ends(mode, practice, pyz, directory):
    with gate_for(practice, mode) as gate, Runner(pyz, gate, directory, source=gate.address) as bot:
        gate.wait(gate.closed_trades)
        preflight = gate.told(EventKind.PREFLIGHT)[0]
        assert preflight.passed
        assert preflight.address_seen == gate.claims[0][1] == gate.address
        assert len(gate.told(EventKind.CANDLES)[0].candles) == 300
        drain = gate.command(CommandKind.DRAIN)
        gate.wait(lambda: gate.done(drain) and gate.flat() and gate.syncs[-1].drained)
        gate.wait(lambda: gate.told(EventKind.STATE)[-1].state == "drained")
        assert gate.told(EventKind.CHECKPOINT)[-1].state["entries"] == {}
        orders = len(gate.told(EventKind.ORDER))
        gate.wait(lambda: any("draining" in d.reason for d in gate.told(EventKind.DECISION)))
        assert len(gate.told(EventKind.ORDER)) == orders
        assert bot.rss_mb() < 65
        assert bot.end(signal.SIGTERM) == 0
        assert_adds_up(gate)
        assert held(gate) == 0
        if mode is Mode.TESTNET:
            stops = [o for o in gate.told(EventKind.ORDER) if o.kind == "stop_market"]
            assert {o.purpose for o in stops} == {"protect"}
            assert stops[-1].status is OrderStatus.CANCELLED


def is_killed_and_finds_its_position(mode, practice, pyz, directory):
    with gate_for(practice, mode) as gate:
        with Runner(pyz, gate, directory, source=gate.address) as bot:
            gate.wait(lambda: is_open(gate))
            bot.end(signal.SIGKILL)
        with Runner(pyz, gate, directory, source=gate.address) as bot:
            gate.wait(lambda: len(gate.claims) == 2)
            gate.command(CommandKind.PAUSE_ENTRIES)
            gate.wait(lambda: gate.closed_trades() and gate.flat())
            assert bot.end(signal.SIGTERM) == 0
        assert_adds_up(gate)
        assert held(gate) == 0


def goes_on_from_the_checkpoint_on_a_new_machine(mode, practice, pyz, directory):
    with gate_for(practice, mode) as gate:
        with Runner(pyz, gate, directory, source=gate.address) as bot:
            gate.wait(lambda: is_open(gate) and gate.told(EventKind.CHECKPOINT))
            bot.end(signal.SIGKILL)
        told, before = gate.told(EventKind.CHECKPOINT)[-1], held(gate)
        credentials = gate.credentials
    with gate_for(practice, mode, paused=True) as gate:
        gate.restored, gate.generation, gate.credentials = told.state, 2, credentials
        other = directory.with_name(f"{directory.name}-2")
        with Runner(pyz, gate, other, generation=2, source=gate.address) as bot:
            gate.wait(lambda: gate.closed_trades() and gate.flat())
            assert bot.end(signal.SIGTERM) == 0
        # Only the exit is told: the entry was, by the machine that is gone.
        assert held(gate) == -before
        assert all(o.reduce_only for o in gate.told(EventKind.ORDER))


def flattens_reloads_and_yields(mode, practice, pyz, directory):
    with gate_for(practice, mode) as gate, Runner(pyz, gate, directory, source=gate.address) as bot:
        gate.wait(lambda: is_open(gate))
        gate.command(CommandKind.PAUSE_ENTRIES)
        reload = gate.command(CommandKind.RELOAD)
        flatten = gate.command(CommandKind.FLATTEN)
        gate.wait(lambda: gate.done(reload) and gate.done(flatten) and len(gate.claims) == 2)
        assert held_at_the_end_of(gate, reload) == 0
        # By this the platform knows that the one who was flat is the one who claims again.
        assert len({claim.boot_id for claim, _ in gate.claims}) == 1
        gate.wait(lambda: gate.told(EventKind.PREFLIGHT)[1:])
        gate.status = 410
        assert bot.child.wait(PATIENCE) == 0


def claims_as_another_while_anything_is_untold(mode, practice, pyz, directory):
    with gate_for(practice, mode) as gate, Runner(pyz, gate, directory, source=gate.address) as bot:
        gate.wait(lambda: is_open(gate))
        gate.command(CommandKind.PAUSE_ENTRIES)
        flatten = gate.command(CommandKind.FLATTEN)
        gate.wait(lambda: gate.done(flatten) and gate.flat())
        gate.deaf = True
        gate.command(CommandKind.RELOAD)
        gate.wait(lambda: len(gate.claims) == 2)
        gate.deaf = False
        assert len({claim.boot_id for claim, _ in gate.claims}) == 2
        gate.wait(lambda: gate.told(EventKind.PREFLIGHT)[1:])
        assert bot.end(signal.SIGTERM) == 0


def only_watches_outside_its_windows(mode, practice, pyz, directory):
    gate = gate_for(practice, mode)
    gate.windows = ()
    with gate, Runner(pyz, gate, directory, source=gate.address):
        gate.wait(
            lambda: any("outside trading window" in d.reason for d in gate.told(EventKind.DECISION))
        )
        assert not gate.told(EventKind.ORDER)


def keeps_trading_while_the_platform_is_away(mode, practice, pyz, directory):
    with gate_for(practice, mode) as gate, Runner(pyz, gate, directory, source=gate.address) as bot:
        gate.wait(lambda: is_open(gate))
        gate.status, known = 503, len(gate.events)
        gate.wait(lambda: "503" in bot.log.read_text())
        gate.status = None
        gate.wait(lambda: gate.closed_trades() and len(gate.events) > known)
        assert [e.seq for e in gate.events] == list(range(1, len(gate.events) + 1))
        assert_adds_up(gate)


def refuses_to_trade_with_a_wrong_key_and_says_so(mode, practice, pyz, directory):
    gate = gate_for(practice, mode)
    gate.credentials = Credentials(gate.credentials.api_key, "a-wrong-secret")
    with gate, Runner(pyz, gate, directory, source=gate.address) as bot:
        gate.wait(lambda: any("key" in n.text for n in gate.told(EventKind.NOTICE)))
        assert not gate.told(EventKind.PREFLIGHT)[0].passed
        assert bot.end(signal.SIGTERM) == 0
        files = [*directory.iterdir(), bot.log]
        for secret in (gate.credentials.secret, gate.credentials.api_key, gate.token):
            assert not [f for f in files if secret.encode() in f.read_bytes()]


def looks_after_a_position_though_a_check_fails(mode, practice, pyz, directory):
    with gate_for(practice, mode) as gate:
        own = gate.address
        with Runner(pyz, gate, directory, source=own) as bot:
            gate.wait(lambda: is_open(gate))
            bot.end(signal.SIGKILL)
        gate.address = "127.64.9.9"  # not the one the venue will see
        entered = len(gate.told(EventKind.FILL))
        with Runner(pyz, gate, directory, source=own) as bot:
            gate.wait(lambda: gate.closed_trades() and gate.flat())
            gate.wait(lambda: any("preflight" in d.reason for d in gate.told(EventKind.DECISION)))
            assert bot.end(signal.SIGTERM) == 0
        said = [notice.text for notice in gate.told(EventKind.NOTICE)]
        assert any("the bot's address is 127.64.9.9" in text for text in said)
        assert held(gate) == 0
        assert len(gate.told(EventKind.FILL)) > entered


def is_protected(gate):
    told = gate.told(EventKind.PROTECTION)
    return bool(told) and told[-1].state is ProtectionState.VERIFIED


def leaves_its_position_protected(mode, practice, pyz, directory):
    with gate_for(practice, mode, rules=long_lived()) as gate:
        with Runner(pyz, gate, directory, source=gate.address) as bot:
            gate.wait(lambda: is_open(gate) and is_protected(gate))
            assert bot.end(signal.SIGTERM) == 0
        assert held(gate)
        assert is_protected(gate)
        assert "seen at the venue" in gate.told(EventKind.NOTICE)[-1].text


def leaves_nothing_where_asked_to(mode, practice, pyz, directory):
    changes = {"rules": long_lived(), "on_end": OnEnd.FLATTEN}
    with gate_for(practice, mode, **changes) as gate:
        with Runner(pyz, gate, directory, source=gate.address) as bot:
            gate.wait(lambda: is_open(gate))
            assert bot.end(signal.SIGTERM) == 0
        assert held(gate) == 0
        assert gate.flat()
        assert gate.told(EventKind.NOTICE)[-1].text == "stopped: flat, no open orders"


def survives_a_full_disk(mode, practice, pyz, directory):
    """From one moment on no file may grow any more, as on a disk without room; later it may."""
    gate = gate_for(practice, mode, rules=long_lived())
    with gate, Runner(pyz, gate, directory, source=gate.address) as bot:
        gate.wait(lambda: is_open(gate) and is_protected(gate))
        room = resource.RLIM_INFINITY
        resource.prlimit(bot.child.pid, resource.RLIMIT_FSIZE, (0, room))
        gate.wait(lambda: "trouble_disk" in [n.code for n in gate.told(EventKind.NOTICE)])
        syncs = len(gate.syncs)
        gate.wait(lambda: len(gate.syncs) > syncs + 2)
        assert bot.child.poll() is None
        gate.command(CommandKind.PAUSE_ENTRIES)
        gate.command(CommandKind.FLATTEN)
        resource.prlimit(bot.child.pid, resource.RLIMIT_FSIZE, (room, room))
        gate.wait(lambda: gate.closed_trades() and gate.flat())
        assert bot.end(signal.SIGTERM) == 0
        assert [e.seq for e in gate.events] == list(range(1, len(gate.events) + 1))
        assert_adds_up(gate)
        assert held(gate) == 0


def ends_with_a_word_when_it_cannot_run(mode, practice, pyz, directory):
    gate = gate_for(practice, mode)
    gate.credentials = practice_credentials()
    with gate, Runner(pyz, gate, directory, source=gate.address) as bot:
        assert bot.child.wait(PATIENCE) == 1
        assert gate.told(EventKind.NOTICE)[0].text == "a paper runner must not be given a key"


STORIES = {
    Mode.PAPER: (
        trades_drains_and_ends,
        is_killed_and_finds_its_position,
        goes_on_from_the_checkpoint_on_a_new_machine,
        flattens_reloads_and_yields,
        claims_as_another_while_anything_is_untold,
        only_watches_outside_its_windows,
        leaves_nothing_where_asked_to,
        ends_with_a_word_when_it_cannot_run,
    ),
    Mode.TESTNET: (
        trades_drains_and_ends,
        is_killed_and_finds_its_position,
        goes_on_from_the_checkpoint_on_a_new_machine,
        looks_after_a_position_though_a_check_fails,
        leaves_its_position_protected,
        survives_a_full_disk,
        leaves_nothing_where_asked_to,
        keeps_trading_while_the_platform_is_away,
        refuses_to_trade_with_a_wrong_key_and_says_so,
    ),
}


def test_a_bot(practice, pyz, tmp_path):
    stories = [(mode, story) for mode, several in STORIES.items() for story in several]
    with ThreadPoolExecutor(len(stories)) as pool:
        told = {
            f"{story.__name__} ({mode})": pool.submit(
                story, mode, practice, pyz, tmp_path / f"{mode}-{story.__name__}"
            )
            for mode, story in stories
        }
    failed = {name: story.exception() for name, story in told.items() if story.exception()}
    assert not failed, "\n\n".join(
        f"{name}: {''.join(traceback.format_exception(error))}" for name, error in failed.items()
    )
