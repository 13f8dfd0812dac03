"""A certification at the real practice market, in this process, up to the step that matters."""

import asyncio
import json
from urllib.request import Request, urlopen

from runner.certify.plan import STEPS
from runner.certify.run import certify
from runner.certify.stand import Place
from tests.runner.machine import SYMBOL, practice_credentials
from tests.runner.workshop import SOURCES


def place_at(practice, directory, symbol=SYMBOL, credentials=None):
    """Each has a source address of its own, as the venue limits requests by that."""
    keys = credentials or practice_credentials()
    return Place("practice", symbol, directory, keys, practice.url, next(SOURCES))


def up_to(*names):
    """These steps, and those they stand on."""
    by_name, wanted, waiting = {step.id: step for step in STEPS}, set(), list(names)
    while waiting:
        name = waiting.pop()
        wanted.add(name)
        waiting += by_name[name].needs
    return [step for step in STEPS if step.id in wanted]


def certified(place, *names, tell=lambda _line: None):
    """The outcome, and its lines by the names of the steps."""
    outcome = asyncio.run(certify(place, tell, up_to(*names) if names else STEPS))
    return outcome, {line.step: line for line in outcome.lines}


def asked(practice, method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    request = Request(practice.url + path, data, headers, method=method)
    with urlopen(request) as answer:
        return json.load(answer)


def switch_on(practice, fault):
    return asked(practice, "POST", "/practice/v1/faults", [fault])["ids"][0]


def switch_off(practice):
    asked(practice, "DELETE", "/practice/v1/faults")


async def held(place):
    """Orders and positions of the account, whoever made them."""
    from runner.certify.stand import Stand

    stand = Stand(place, print)
    try:
        await stand.market.open((place.symbol,))
        return await stand.broker.open_orders(place.symbol), await stand.broker.positions()
    finally:
        await stand.close()
