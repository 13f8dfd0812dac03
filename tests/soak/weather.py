"""What befalls the house, drawn from one seeded source: kills, faults of the market, buttons."""

import time
from collections import Counter

from sqlalchemy.exc import OperationalError

from tests.kill.house import VICTIMS
from tests.soak.home import BUTTONS

ORDERS = {"path": "/fapi/v1/*rder*"}
ALL = {"path": "/fapi/*"}
FAULT_SECONDS = 12


def _gap(chance):
    amount = chance.choice((-1, 1)) * round(chance.uniform(0.5, 3), 2)
    return {"kind": "price_gap", "amount": amount, "seconds": chance.randint(10, 40)}


def _skew(chance):
    amount = chance.choice((-1, 1)) * chance.randint(500, 20_000)
    return {"kind": "clock_skew", "amount": amount, "seconds": chance.randint(3, 12)}


def _strike(kind, **numbers):
    """Meets the next few requests, those about orders alone or any."""

    def draw(chance):
        match = chance.choice((ORDERS, ALL))
        drawn = {name: chance.randint(*bounds) for name, bounds in numbers.items()}
        return {"kind": kind, "match": match, "count": chance.randint(1, 4), **drawn}

    return draw


def _delay(chance):
    seconds = round(chance.uniform(0.2, 4), 1)
    return {"kind": "delay", "seconds": seconds, "probability": 0.3, "match": ALL}


FAULTS = (
    _gap,
    _skew,
    _delay,
    _strike("error_5xx"),
    _strike("error_after"),
    _strike("timeout_before_accept", seconds=(1, 15)),
    _strike("timeout_after_accept", seconds=(1, 15)),
    _strike("disconnect"),
    lambda chance: {"kind": "rate_ban", "count": 1, "match": ALL, "seconds": chance.randint(2, 12)},
    lambda chance: {"kind": "maintenance", "seconds": chance.randint(2, 10)},
    lambda chance: {"kind": "stale_data", "seconds": chance.randint(3, 12)},
)


class Weather:
    """Draws one event after another and counts what was done."""

    def __init__(self, home, chance, say):
        self.home, self.chance, self.say = home, chance, say
        self.kills, self.faults, self.presses = Counter(), Counter(), Counter()
        self._faults_end = None

    def strike(self):
        """The next event."""
        draw = self.chance.random()
        if draw < 0.4:
            self._kill()
        elif draw < 0.8:
            self._fault()
        else:
            self._press()

    def settle(self):
        """Lift faults whose time is over."""
        if self._faults_end is not None and time.monotonic() > self._faults_end:
            self.clear()

    def clear(self):
        """Lift all faults; a market that is down has forgotten them anyway."""
        self.home.market_says("DELETE", "faults")
        self._faults_end = None

    def _kill(self):
        for victim in self.chance.sample(VICTIMS, self.chance.choice((1, 1, 1, 1, 2, 3))):
            if self.home.kill(victim, self.chance, patience=1.0):
                self.kills[victim] += 1
                self.say(f"killed {victim}")

    def _fault(self):
        fault = self.chance.choice(FAULTS)(self.chance)
        if self.home.market_says("POST", "faults", json=[fault]) is None:
            self.say(f"the market was down for {fault['kind']}")
            return
        self.faults[fault["kind"]] += 1
        self._faults_end = time.monotonic() + FAULT_SECONDS
        self.say(f"fault {fault}")

    def _press(self):
        button = self.chance.choice(BUTTONS)
        try:
            told = self.home.press(button, self.chance)
        except OperationalError as error:
            self.say(f"{button}: the database was busy: {error.orig}")
            return
        self.presses[button] += 1
        self.say(told)
