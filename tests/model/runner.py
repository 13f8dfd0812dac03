"""One boot of a runner, reduced to what the platform can see and the venue can suffer from.

It holds to the runner's contract: it trades only after its claim, enters nothing while draining,
is unsure of its position until it has asked the venue, keeps events on its disk until they are
acknowledged, carries out each command once, and stops for good when told that it is superseded.
"""

from app.domain import runners
from app.domain.errors import Gone
from app.extensions import db
from runner.protocol import (
    Claim,
    CommandDone,
    CommandKind,
    Event,
    EventKind,
    Notice,
    PositionState,
    Sync,
    to_plain,
)


class Runner:
    """The runner of one boot on ``vm``; ``world`` has the clock and the venue's truth."""

    def __init__(self, world, vm):
        self.world, self.vm = world, vm
        self.boot = f"{vm.name}-boot-{vm.boots}"
        self.claim_id = None
        self.granted = False
        self.draining = True
        self.asked_venue = False
        self.stopped = False
        self.reload = False
        self.sent = 0

    @property
    def trades(self):
        return self.claim_id is not None and not self.stopped

    def claim(self, *, answered=True):
        """Ask for the right to trade; an answer that is lost gives the platform's word to nobody"""
        message = Claim(self.vm.bot, self.vm.generation, self.vm.token, self.boot, "0")
        try:
            answer = runners.claim(
                message,
                address=self.vm.ip,
                opener=self.world.opener,
                endpoints={},
                tempo=self.world.tempo,
                now=self.world.now,
            )
        except Gone:
            db.session.rollback()
            self.stop()
            return
        db.session.commit()
        present = self.world.compute.generation
        assert self.vm.generation == present, "a machine of the past was let claim"
        self.granted = True
        self.world.newest_claim = answer.claim_id
        if answered:
            self.claim_id = answer.claim_id
            self.draining = answer.configuration.draining
            self.asked_venue, self.reload = False, False

    def stop(self):
        """Superseded: the machine has nothing left to do and ends."""
        self.stopped = True
        self.vm.running = False

    def tell(self, kind=EventKind.NOTICE, data=None):
        number = len(self.vm.disk["told"]) + 1
        data = data or Notice("info", "model", f"{self.vm.name} {number}")
        event = Event(number, kind, self.world.now, to_plain(data))
        self.vm.disk["told"].append(event)

    def pending(self):
        return tuple(self.vm.disk["told"][self.vm.disk["acked"] :])

    def report(self, batch=None):
        """What it would say now. It counts its reports so that no two bear the same time."""
        self.sent += 1
        return Sync(
            claim_id=self.claim_id,
            sent_at=self.world.tick(),
            batch=self.pending() if batch is None else batch,
            position_state=self.position_state(),
            open_orders=self.world.orders,
            drained=self.draining and self.asked_venue and self.world.orders == 0,
        )

    def position_state(self):
        if not self.asked_venue:
            return PositionState.UNKNOWN
        return PositionState.OPEN if self.world.position else PositionState.FLAT

    def deliver(self, message, *, answered=True):
        """Bring a report to the gate; act on the answer if it comes back."""
        try:
            answer = runners.sync(message, now=self.world.now)
        except Gone:
            db.session.rollback()
            if answered and message.claim_id == self.claim_id:
                self.stop()
            return
        db.session.commit()
        if answered and not self.stopped:
            self.vm.disk["acked"] = max(self.vm.disk["acked"], answer.ack_seq)
            for command in answer.commands:
                self._carry_out(command)

    def sync(self, *, answered=True):
        self.deliver(self.report(), answered=answered)

    def _carry_out(self, command):
        if command.id in self.vm.disk["done"]:
            return
        if command.kind is CommandKind.DRAIN:
            self.draining, self.world.orders = True, 0
        elif command.kind is CommandKind.CANCEL_DRAIN:
            self.draining = False
        elif command.kind is CommandKind.FLATTEN:
            self.world.position, self.world.orders = False, 0
        elif command.kind is CommandKind.RELOAD:
            self.reload = True
        self.vm.disk["done"].add(command.id)
        self.tell(EventKind.COMMAND_DONE, CommandDone(command.id, command.kind, "done", ""))
