"""``python -m app.practice``: serve the practice market until told to stop."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path

from aiohttp import web

from app.practice.exchange import Exchange
from app.practice.server import create_app

PORT_TAKEN = 2


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m app.practice", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8899, help="port; 0 picks a free one")
    parser.add_argument("--dir", type=Path, default=Path("var/practice"), help="where it lives")
    parser.add_argument("--seed", type=int, default=7, help="which prices; kept from then on")
    return parser.parse_args()


async def _serve(options: argparse.Namespace) -> int:
    exchange = Exchange(options.dir, options.seed)
    runner = web.AppRunner(create_app(exchange), access_log=None, shutdown_timeout=0.3)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, options.host, options.port).start()
        except OSError as error:
            where = f"{options.host}:{options.port}"
            print(  # noqa: T201  (a command's answer)
                f"cannot listen on {where}: {error.strerror}. Choose another --port, or 0.",
                file=sys.stderr,
            )
            return PORT_TAKEN
        stop = _asked_to_stop()
        host, port = runner.addresses[0][:2]
        print(f"practice market listening on http://{host}:{port}", flush=True)  # noqa: T201
        await _ended(stop, exchange)
    finally:
        await runner.cleanup()
    return 0


async def _ended(stop: asyncio.Event, exchange: Exchange) -> None:
    """Until asked to stop, or until the market's clockwork fails: then it is better to end."""
    assert exchange.running is not None
    asked = asyncio.create_task(stop.wait())
    await asyncio.wait({asked, exchange.running}, return_when=asyncio.FIRST_COMPLETED)
    asked.cancel()


def _asked_to_stop() -> asyncio.Event:
    """Set by SIGTERM or SIGINT from now on."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


if __name__ == "__main__":
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    sys.exit(asyncio.run(_serve(_arguments())))
