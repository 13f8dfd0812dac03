"""One claim turned into a trading loop: venue, records, standing; paper kept apart from keys."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from runner import key_check
from runner.bench import Bench
from runner.client import GateClient
from runner.clock import Clock
from runner.code import cage
from runner.code.engine import is_code
from runner.desk import Desk
from runner.entries import Standing
from runner.environment import Environment, Stopper
from runner.errors import Operational, Temporary
from runner.exchange.base import Broker, Market
from runner.exchange.broker import CcxtBroker
from runner.exchange.ccxt import CcxtMarket, connect
from runner.exchange.listener import Listener, listener_of
from runner.exchange.paper import PaperBroker
from runner.exchange.paper_state import PaperState
from runner.journal import Journal
from runner.link import BATCH, Link, deadline
from runner.loop import Loop, Outcome
from runner.memory import Memory
from runner.outbox import Outbox
from runner.protocol import (
    Checkpoint,
    ClaimAnswer,
    Configuration,
    EventKind,
    Mode,
    Notice,
    PositionState,
    Sync,
)
from runner.store import Store
from runner.strategy import is_protected, validate
from runner.streams import Streams

log = logging.getLogger("runner")

_LONGEST_PAUSE = 30.0
_LAST_WORDS_SECONDS = 3.0


@dataclass(frozen=True)
class Life:
    """All that lives from one claim to the next."""

    answer: ClaimAnswer
    client: GateClient
    environment: Environment
    store: Store
    clock: Clock

    async def run(self, stopper: Stopper) -> Outcome:
        """Trade until told to stop. Raises ``Operational``, once the platform was told why."""
        generation = self.environment.generation
        outbox = Outbox(self.store, generation, self.answer.next_seq, self.answer.told)
        link = Link(self.client, outbox, self.clock)
        try:
            _refuse_code(self.answer.configuration, self.environment)
            _refuse_what_cannot_run(self.answer)
            bench = self._bench(outbox)
        except Operational as error:
            await self._give_up(outbox, link, str(error))
            raise
        loop = Loop(self.answer, bench, Desk(bench), link, self.store)
        stopper.loop = loop
        looking = key_check.begin(self.answer, bench, self.environment.source_address)
        try:
            await self._open(bench, link, stopper)
            if stopper.asked:
                loop.stop()
            return await loop.run(self.environment.source_address)
        finally:
            stopper.loop = None
            loop.leave_nothing()
            await key_check.end(looking)
            await bench.streams.close()
            await bench.market.close()

    def _bench(self, outbox: Outbox) -> Bench:
        answer, environment = self.answer, self.environment
        now = self.clock.now()
        memory = Memory(
            self.store, answer.configuration, environment.generation, answer.restored, now
        )
        market, broker, listener = _venue(answer, environment, memory, self.clock)
        journal = Journal(self.store, outbox)
        journal.take_over(answer.unsettled)
        if memory.fresh:
            # A machine lost before its first fill has still told from when on fills are its own.
            memory.save()
            outbox.append(EventKind.CHECKPOINT, Checkpoint(memory.plain()), now)
        bench = Bench(
            bot=environment.bot,
            generation=environment.generation,
            configuration=answer.configuration,
            market=market,
            broker=broker,
            journal=journal,
            outbox=outbox,
            memory=memory,
            standing=_standing(answer, answer.configuration, self.clock),
            clock=self.clock,
        )
        bench.streams = Streams(self.clock, listener)
        return bench

    async def _open(self, bench: Bench, link: Link, stopper: Stopper) -> None:
        """Load instrument rules; a venue that is down is waited for, and the platform hears why."""
        pause = 0.5
        while not stopper.asked:
            try:
                await bench.market.open(bench.configuration.symbols)
            except Temporary as error:
                log.warning("venue: %s; trying again", error)
                text = f"no trading yet: {error}; trying again"
                bench.notice("warning", "venue_not_ready", text)
                await self._say(bench.outbox, link)
                await self.clock.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
            except Operational as error:
                await self._give_up(bench.outbox, link, str(error))
                raise
            else:
                bench.settled("venue_not_ready")
                return

    async def _give_up(self, outbox: Outbox, link: Link, why: str) -> None:
        """A process that ends without a word leaves a person guessing."""
        now = self.clock.now()
        outbox.append(EventKind.NOTICE, Notice("alarm", "cannot_run", why), now)
        await self._say(outbox, link)

    async def _say(self, outbox: Outbox, link: Link) -> None:
        """Tell what waits, before there is a loop that would: nobody knows yet what is held."""
        sync = Sync(
            claim_id=self.answer.claim_id,
            sent_at=self.clock.now(),
            batch=outbox.pending(BATCH),
            position_state=PositionState.UNKNOWN,
            open_orders=0,
            drained=False,
        )
        await link.finish(lambda: sync, _LAST_WORDS_SECONDS)


def _venue(
    answer: ClaimAnswer, environment: Environment, memory: Memory, clock: Clock
) -> tuple[Market, Broker, Listener | None]:
    """Paper gets no key and a market that has no way to send an order."""
    configuration = answer.configuration
    paper = configuration.mode is Mode.PAPER
    key = None if paper else answer.credentials
    exchange, venue, endpoint = connect(configuration, key, environment.source_address)
    market = CcxtMarket(exchange, venue, endpoint)
    timeframe = configuration.rules["timeframe"]
    listener = listener_of(configuration, exchange, venue, endpoint, timeframe)
    if not paper:
        return market, CcxtBroker(exchange, venue, configuration.quote), listener
    state = PaperState(configuration.starting_balance)
    if memory.paper:
        state = PaperState.restore(memory.paper)
    return market, PaperBroker(market, clock, state, memory.keep_paper), listener


def _standing(answer: ClaimAnswer, configuration: Configuration, clock: Clock) -> Standing:
    return Standing(
        windows=answer.windows,
        lease_deadline=deadline(clock, answer.lease, answer.server_time),
        grace_seconds=configuration.grace_seconds,
        paused=configuration.paused,
        draining=configuration.draining,
        end_policy=answer.end_policy,
        quiet_minutes=answer.quiet_minutes,
        hold=answer.hold,
    )


def _refuse_what_cannot_run(answer: ClaimAnswer) -> None:
    """Raises ``Operational`` for a configuration this runner must not or cannot trade."""
    configuration = answer.configuration
    faults = validate(configuration.rules)
    if faults:
        raise Operational("; ".join(f"{fault.path}: {fault.message}" for fault in faults))
    if configuration.market_type != "linear":
        raise Operational(f"{configuration.market_type} markets are not supported by this runner")
    if configuration.mode is Mode.PAPER and answer.credentials is not None:
        raise Operational("a paper runner must not be given a key")
    if configuration.mode is not Mode.PAPER and answer.credentials is None:
        raise Operational(f"{configuration.mode} needs a connection with a key")
    if not configuration.symbols:
        raise Operational("choose at least one symbol")
    share = configuration.disaster_stop_percent
    if share is not None and not 0 < share < 100:
        raise Operational(f"a disaster stop of {share:f} % is no distance from a price")
    if configuration.mode is Mode.LIVE and share is None and not is_protected(configuration.rules):
        raise Operational("live needs a stop in the strategy, or the bot's disaster stop")


def _refuse_code(configuration: Configuration, environment: Environment) -> None:
    """Raises ``Operational`` where no class may run beside this runner."""
    if not is_code(configuration.rules):
        return
    if not environment.code:
        raise Operational("code strategies are not allowed on this machine")
    cage.hide()  # before anybody's code runs beside the keys
