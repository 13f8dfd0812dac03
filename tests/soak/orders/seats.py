"""One account's bot: its disk, its process, and what befalls both."""

import multiprocessing
import os
import signal

from tests.runner.workshop import POINTS
from tests.soak.orders import scripted
from tests.waiting import PATIENCE

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.soak.orders.scripted", "ccxt.async_support.binanceusdm"])


class Seat:
    """``asleep`` asked: it is left alone until it has said that nothing is left."""

    def __init__(self, office, bot, seed):
        self._office, self.bot, self._seed = office, bot, seed
        self._boots = 0
        self.sleeping = False
        self._take_machine()

    def _take_machine(self):
        self._name, self._variables = self._office.machine(self.bot)
        self._place = self._office.var / "machines" / self._name
        self._place.mkdir(parents=True)

    def start(self, chance, *, dies=True):
        """A process on the disk there is; every third one kills itself at a step of an order."""
        self._boots += 1
        if not dies or chance.random() > 1 / 3:
            dies = None
        else:
            dies = chance.choice(list(POINTS)), chance.randint(3, 40)
        variables = self._variables | {"PLUTARC_DIR": str(self._place / "disk")}
        log = str(self._place / "log")
        seed = f"{self._seed}:{self.bot}:{self._boots}"
        self.process = _FORKS.Process(target=scripted.live, args=(variables, log, seed, dies))
        self.process.start()

    @property
    def address(self):
        """Where its requests come from, whatever its machine."""
        return self._variables["PLUTARC_SOURCE_ADDRESS"]

    def kill(self):
        if self.process.is_alive():
            os.kill(self.process.pid, signal.SIGKILL)
        self.process.join(PATIENCE)

    def lose(self):
        """The machine is gone with its disk, which is kept where the audit finds it."""
        past = self._office.var / "machines-past" / self._name
        past.parent.mkdir(exist_ok=True)
        self._place.rename(past)
        self._take_machine()

    def ask_to_sleep(self):
        self.sleeping = True
        self._office.ask_to_sleep(self.bot)

    def sleep(self):
        """End in order, as a machine is told to before it is deleted."""
        if self.process.is_alive():
            os.kill(self.process.pid, signal.SIGTERM)
        self.process.join(PATIENCE)

    def wake(self):
        """On a machine with an empty disk."""
        self.lose()
        self.sleeping = False

    def last_words(self):
        """The end of what the process wrote to its log."""
        return (self._place / "log").read_text()[-500:]
