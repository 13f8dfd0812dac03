"""The practice market as it is, for callers who ask it more a minute than a bot ever would.

The limit of orders of each account stays; the weight of requests from each address is unlimited.
"""

import asyncio
import logging
import sys

from app.practice import __main__ as program
from app.practice.exchange import Exchange
from app.practice.limits import Limits

WEIGHT = 10**9


class Patient(Exchange):
    """Counts the weight of requests, and refuses nobody for it."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.limits = Limits(weight_per_minute=WEIGHT)


if __name__ == "__main__":
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    program.Exchange = Patient
    sys.exit(asyncio.run(program._serve(program._arguments())))
