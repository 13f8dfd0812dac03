"""A cloud of a few lines that keeps the promises of a real one, for the planner's tests."""

from app.gateways.compute.driver import AddressState, Cause, MachineState, Outcome, Result, StepKind


class TinyCloud:
    """Machines and addresses by name; one address is held by one machine at a time."""

    def __init__(self):
        self.addresses = {}
        self.machines = {}
        self.environments = {}
        self.strangers = set()
        self.calls = []
        self.steps = []
        self.script = []

    def do(self, step):
        self.calls.append(step.kind)
        self.steps.append(step)
        if step.environment:
            self.environments[step.machine_name] = step.environment
        if self.script:
            planned = self.script.pop(0)
            if planned is not None:
                return planned
        if step.proof and step.machine_name in self.strangers:
            words, running = (
                f"{step.machine_name} was started by somebody else",
                MachineState.RUNNING,
            )
            held = {"cause": Cause.HELD, "holder": step.machine_name}
            return Result(Outcome.RETRY, words, machine=running, **held)
        return getattr(self, f"_{step.kind.value}")(step)

    def _reserve_address(self, step):
        ip = self.addresses.setdefault(step.address_name, f"127.64.1.{len(self.addresses) + 1}")
        return Result(Outcome.DONE, ip=ip, address=AddressState.RESERVED)

    def _release_address(self, step):
        self.addresses.pop(step.address_name, None)
        return Result(Outcome.DONE, address=AddressState.ABSENT)

    def _insert_machine(self, step):
        assert step.ip == self.addresses[step.address_name]
        holders = [name for name, ip in self.machines.items() if ip == step.ip]
        if holders not in ([], [step.machine_name]):
            return Result(Outcome.RETRY, "the address is held")
        self.machines[step.machine_name] = step.ip
        return Result(Outcome.DONE, machine=MachineState.RUNNING)

    def _observe_machine(self, step):
        there = step.machine_name in self.machines
        state = MachineState.RUNNING if there else MachineState.ABSENT
        return Result(Outcome.DONE, machine=state)

    def _delete_machine(self, step):
        self.machines.pop(step.machine_name, None)
        return Result(Outcome.DONE, machine=MachineState.ABSENT)

    def _read_console(self, step):
        return Result(Outcome.DONE, console=f"{step.machine_name} wrote this")

    def _list_zones(self, step):
        return Result(Outcome.DONE, zones=(f"{step.region}-a", f"{step.region}-b"))


_OTHERS = {"_observe_address", "_delete_disk"}
assert {f"_{kind.value}" for kind in StepKind} - _OTHERS <= set(dir(TinyCloud))
