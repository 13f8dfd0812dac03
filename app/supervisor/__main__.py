"""``python -m app.supervisor``: start plutarc, mind it, end it. ``make run`` calls this."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from app.config import Config, SettingsError
from app.domain import demo
from app.gateways.compute import locks
from app.supervisor.child import die_with_parent
from app.supervisor.ground import CannotStart
from app.supervisor.house import House, draw
from app.supervisor.minder import Minder


def say(line: str) -> None:
    """Tell the person at the terminal."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def main(arguments: list[str]) -> int:
    """Run until Ctrl-C or SIGTERM; 0 if that was it, 1 if something could not start.

    ``--bound``: end with the process that started this one; a killed ``make`` leaves nothing.
    """
    if "--bound" in arguments:
        die_with_parent()
    var_dir = Path(os.environ.get("VAR_DIR", "").strip() or "var").absolute()
    var_dir.mkdir(parents=True, exist_ok=True)
    with locks.held(var_dir / "supervisor.lock", patience=0) as lock:
        if lock is None:
            say(f"plutarc runs here already (it keeps {var_dir}); stop it first, or set VAR_DIR.")
            return 1
        try:
            return asyncio.run(_live(os.environ, var_dir))
        except SettingsError as error:
            say(f"These settings need your attention:\n{error}")
        except CannotStart as error:
            say(str(error))
    return 1


async def _live(environ: Mapping[str, str], var_dir: Path) -> int:
    house = draw(environ, var_dir)
    for role in ("web", "gate", "worker", "ticker"):
        Config.from_environment(house.environment(role), role)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    minder = Minder(var_dir, say)
    starting = asyncio.create_task(_start(house, minder))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
            await stop.wait()
        say("Ending: first the bots, then the rest.")
    finally:
        starting.cancel()
        await asyncio.wait({starting})
        await minder.stop()
        stopping.cancel()
    say("All ended. The next start goes on where this one was.")
    return 0


async def _start(house: House, minder: Minder) -> None:
    foundations = minder.start(house.foundations)
    for line in house.moved:
        say(line)
    web = house.environment("web")
    demo_wanted = Config.from_environment(web, "web").demo
    prepare = ["-m", "app.supervisor.prepare", *(["--demo"] if demo_wanted else [])]
    await minder.command("prepare", prepare, web)
    await minder.ready(foundations)
    gate = minder.start([house.gate])
    await minder.ready([*gate, *minder.start(house.upper)])
    say(f"\n  plutarc is at {house.address}")
    if demo_wanted:
        say(f"  sign in as {demo.EMAIL} with the password: {demo.PASSWORD}")
        others = ", ".join(f"{mailbox}@ ({role})" for _, mailbox, role in demo.CREW)
        say(f"  or look at it in another role: {others}; same domain, same password")
        say(f"  or, to run the platform, as {demo.OPERATOR} with the same")
    say("  Ctrl-C ends everything; logs are in var/log.\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
