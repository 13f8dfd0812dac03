from app.gateways.compute.driver import Outcome, Result, Step, StepKind
from app.gateways.compute.null import NullDriver


def test_it_follows_the_script_and_remembers():
    driver = NullDriver([Result(Outcome.UNKNOWN)], names=("m",))
    step = Step(StepKind.OBSERVE_MACHINE, "r", "b", "here", "a")
    assert [driver.do(step).outcome for _ in range(2)] == [Outcome.UNKNOWN, Outcome.DONE]
    assert driver.steps == [step, step]
    assert driver.survey(()).names == ("m",)
