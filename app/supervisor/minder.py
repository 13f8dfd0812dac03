"""Starts programs in order, keeps them running, and ends them in order: runners first."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from app.gateways.compute.local import end_process
from app.supervisor.child import Child, Program, Say, die_with_parent
from app.supervisor.ground import CannotStart

_READY_SECONDS = 300.0
_PATIENT_SECONDS = 15.0
_COMMAND_SECONDS = 600.0
# What a runner may take to bring its position to safety; one that holds nothing ends at once.
_RUNNER_SECONDS = 21.0
_STOP_SECONDS = 5.0
_LAST_SECONDS = 2.0


class Minder:
    """All children of one installation."""

    def __init__(self, var_dir: Path, say: Say) -> None:
        self._var = var_dir
        self._logs = var_dir / "log"
        self._logs.mkdir(parents=True, exist_ok=True)
        self._say = say
        self.layers: list[list[Child]] = []

    def start(self, programs: Iterable[Program]) -> list[Child]:
        """Start a layer; layers end in the reverse order."""
        layer = [Child(program, self._logs, self._say) for program in programs]
        self.layers.append(layer)
        for child in layer:
            child.start()
        return layer

    async def ready(self, children: Iterable[Child]) -> None:
        """Wait until each does its work. Raises ``CannotStart`` with its last words.

        A slow machine is waited for, and told about; a program that ends again and again is not.
        """
        waits = {asyncio.create_task(child.wait_ready(_READY_SECONDS)): child for child in children}
        waiting = set(waits)
        try:
            while waiting:
                done, waiting = await asyncio.wait(
                    waiting, timeout=_PATIENT_SECONDS, return_when=asyncio.FIRST_COMPLETED
                )
                for child in (waits[task] for task in done if not task.result()):
                    raise CannotStart(
                        f"{child.program.name} does not answer. It said:\n{child.last_words()}"
                    )
                if not done:
                    names = ", ".join(sorted(waits[task].program.name for task in waiting))
                    self._say(f"Still starting: {names}.")
        finally:
            for task in waiting:
                task.cancel()

    async def command(
        self, name: str, arguments: list[str], environment: Mapping[str, str]
    ) -> None:
        """Run something to its end. Raises ``CannotStart`` if it fails or hangs."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            env=dict(environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent,
        )
        try:
            async with asyncio.timeout(_COMMAND_SECONDS):
                output, _ = await process.communicate()
        except BaseException as error:
            process.kill()
            await process.wait()
            if isinstance(error, TimeoutError):
                raise CannotStart(f"{name} did not end within {_COMMAND_SECONDS:g} s.") from None
            raise
        text = output.decode(errors="replace")
        (self._logs / f"{name}.log").write_text(text)
        if process.returncode != 0:
            ending = "\n".join(text.strip().splitlines()[-12:])
            raise CannotStart(f"{name} failed. It said:\n{ending}")

    async def stop(self) -> None:
        """End everything. Runners go first, while the gate still takes their last words.

        What could start a runner ends at the same time, hence the second look. What was started
        first goes last: nobody is left to miss it.
        """
        upper, *lower = [*reversed(self.layers)] or [[]]
        await asyncio.gather(self._end_machines(), *(child.stop(_STOP_SECONDS) for child in upper))
        await self._end_machines()
        for layer in lower:
            await asyncio.gather(*(child.stop(_LAST_SECONDS) for child in layer))

    async def _end_machines(self) -> None:
        """End every local machine's process; its disk stays, the platform finds it terminated."""
        places = [*(self._var / "machines").glob("[!.]*")]
        if not places:
            return
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(len(places)) as pool:
            ended = await asyncio.gather(
                *(
                    loop.run_in_executor(pool, end_process, place, _RUNNER_SECONDS)
                    for place in places
                )
            )
        if not all(ended):
            self._say("a machine's process would not end; see var/machines/*/pid")
