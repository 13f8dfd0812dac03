"""Kills, lost machines, sleeps and faults of the market, drawn from one seed; then the audit."""

import random
import time
from collections import Counter

from tests.soak.orders import audit
from tests.soak.orders.seats import Seat
from tests.soak.weather import FAULTS
from tests.waiting import PATIENCE

LOOK_SECONDS = 0.25
FAULT_SECONDS = 10
PROGRESS_SECONDS = 30


class Siege:
    """``rage`` until there are enough orders, ``settle``, and in any case ``end``."""

    def __init__(self, office, outcome, say):
        self._office, self._outcome, self._say = office, outcome, say
        self._chance = random.Random(outcome.seed)
        bots = office.furnish(outcome.accounts)
        self._seats = [Seat(office, bot, outcome.seed) for bot in bots]
        self._faults_end = None
        self._befell = Counter()
        self._progress = 0, time.monotonic()
        for seat in self._seats:
            seat.start(self._chance)

    def rage(self):
        began = told = time.monotonic()
        orders = reached = blow = 0
        before = self._office.worked()
        while orders < self._outcome.wanted:
            time.sleep(LOOK_SECONDS)
            now = time.monotonic()
            self._look_after()
            # By orders, not by the clock: however slow the machine, something is got through.
            if orders >= blow:
                self._strike()
                blow = orders + self._chance.expovariate(1 / self._outcome.orders_a_blow)
            orders = self._office.orders()
            if now - told >= PROGRESS_SECONDS:
                rate, told, reached = (orders - reached) / (now - told), now, orders
                self._say(f"{orders:,} orders, {rate:.1f} a second, {dict(self._befell)}")
            self._insist(now, orders)
        self._outcome.seconds = time.monotonic() - began
        self._outcome.ordered = orders
        after = self._office.worked()
        self._outcome.worked = {name: after[name] - before[name] for name in after}
        self._outcome.befell = dict(self._befell)

    def _insist(self, now, orders):
        """A soak in which nothing is ordered any more has found something."""
        if orders != self._progress[0]:
            self._progress = orders, now
        elif now - self._progress[1] > PATIENCE:
            raise AssertionError(f"no order for {PATIENCE} s after {orders}")

    def settle(self):
        """No more blows: every bot ends what it has begun, closes what it holds, tells, ends."""
        self._office.market_says("DELETE", "faults")
        for seat in self._seats:
            seat.ask_to_sleep()
        waiting, end = set(self._seats), time.monotonic() + PATIENCE
        while waiting:
            time.sleep(LOOK_SECONDS)
            for seat in waiting:
                if not seat.process.is_alive():
                    self._note_end(seat)
                    seat.start(self._chance, dies=False)
                    seat.ask_to_sleep()
            ready = self._office.may_sleep()
            for seat in [seat for seat in waiting if seat.bot in ready]:
                seat.sleep()
                waiting.discard(seat)
                end = time.monotonic() + PATIENCE
            if time.monotonic() > end:
                names = ", ".join(sorted(seat.bot for seat in waiting))
                self._outcome.differences.append(f"not flat after {PATIENCE} s: {names}")
                break
        self._outcome.befell = dict(self._befell)
        self._outcome.differences += audit.violations(self._office)

    def end(self):
        for seat in self._seats:
            seat.kill()
        audit.audit(self._office.var, self._outcome)

    # -- what befalls them ----------------------------------------------------------------------

    def _strike(self):
        draw = self._chance.random()
        awake = [seat for seat in self._seats if not seat.sleeping]
        if draw < 0.45 and awake:
            self._chance.choice(awake).kill()
        elif draw < 0.55 and awake:
            self._chance.choice(awake).ask_to_sleep()
            self._befell["asked to sleep"] += 1
        else:
            self._fault()

    def _fault(self):
        """Most meet one bot alone, as long as the fault knows whom it meets."""
        fault = self._chance.choice(FAULTS)(self._chance)
        if fault["kind"] != "price_gap" and self._chance.random() < 0.75:
            address = self._chance.choice(self._seats).address
            fault["match"] = fault.get("match", {}) | {"address": address}
        if self._office.market_says("POST", "faults", json=[fault]) is not None:
            self._befell[f"fault {fault['kind']}"] += 1
            self._faults_end = time.monotonic() + FAULT_SECONDS

    def _look_after(self):
        """Faults pass; whoever has ended begins anew; whoever may sleep does."""
        if self._faults_end is not None and time.monotonic() > self._faults_end:
            self._office.market_says("DELETE", "faults")
            self._faults_end = None
        if any(seat.sleeping for seat in self._seats):
            ready = self._office.may_sleep()
            for seat in self._seats:
                if seat.sleeping and seat.bot in ready:
                    seat.sleep()
                    seat.wake()
                    self._befell["slept and woken on an empty disk"] += 1
                    seat.start(self._chance)
        for seat in self._seats:
            if not seat.process.is_alive():
                self._note_end(seat)
                self._replace(seat)

    def _replace(self, seat):
        if self._chance.random() < 0.3:
            seat.lose()
            self._befell["machine lost with its disk"] += 1
        if seat.sleeping:
            seat.ask_to_sleep()  # to the one that boots; what it was told before is forgotten
        seat.start(self._chance)

    def _note_end(self, seat):
        seat.process.join(PATIENCE)
        if seat.process.exitcode == -9:
            self._befell["killed"] += 1
        else:
            fault = f"{seat.bot} ended by itself with {seat.process.exitcode}: {seat.last_words()}"
            self._outcome.differences.append(fault)
