"""The runner's commands: no argument runs a bot, or the task that a machine was made for;
``backtest`` tests a strategy on history, ``certify`` proves an exchange with somebody's test key,
and ``bundle`` builds what is deployed.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys

from runner.errors import Operational


def main(arguments: list[str]) -> int:
    if arguments == ["backtest"]:
        from runner.backtest import command as backtest  # noqa: PLC0415 - a bot needs none of it

        return backtest.command()
    if arguments == ["record"]:
        from runner.history.record import main as record  # noqa: PLC0415 - as above

        return record()
    if arguments[:1] == ["certify"]:
        from runner.certify.command import command as certify  # noqa: PLC0415 - as above

        return certify(arguments[1:])
    if arguments:
        from runner.bundle import command  # noqa: PLC0415 - not part of what is deployed

        return command(arguments)
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(name)s %(message)s"
    )
    from runner.environment import Environment  # noqa: PLC0415 - keeps `bundle` free of ccxt
    from runner.protocol import TASK, WORK  # noqa: PLC0415 - as above

    if os.environ.get(WORK) == TASK:
        from runner.task import run  # noqa: PLC0415 - as above
    else:
        from runner.boot import run  # noqa: PLC0415 - as above

    try:
        return asyncio.run(run(Environment.read(os.environ)))
    except Operational as error:
        logging.getLogger("runner").error("cannot start: %s", error)  # noqa: TRY400 - no trace needed
        return 2
    except asyncio.CancelledError:
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
