"""Studies: validated by the component's own schema, bounded, queued as backtests are."""

from datetime import timedelta
from decimal import Decimal

import pytest

from app.domain import backtest_runs, backtests, studies
from app.domain.errors import Invalid
from app.domain.studies import Axis, Study
from app.extensions import db
from app.models import BacktestKind, Workspace
from tests import backtested, factories
from tests.factories import NOW, TESTER

END = NOW - timedelta(hours=1)


@pytest.fixture
def version(app):
    made = factories.strategy(factories.organisation(), "ema_trend").latest
    db.session.commit()
    return made


def axis(path, low=None, high=None, step=None):
    numbers = (None if it is None else Decimal(str(it)) for it in (low, high, step))
    return Axis(path, *numbers)


def path_of(version, name):
    return next(path for path in studies.titles(version.rules) if path.endswith(f".{name}"))


def plan(**more):
    return backtested.plan(**{"since": END - timedelta(days=30), "until": END, **more})


def options(version, *axes, **more):
    return studies.options(version, plan(**more.pop("plan", {})), Study(axes, **more))


def test_a_range_becomes_its_values_of_the_parameters_own_kind(version):
    fast = path_of(version, "fast")
    told = options(version, axis(fast, 5, 20, 4))
    assert told["grid"] == [{"path": fast, "values": [5, 9, 13, 17]}]
    assert all(isinstance(it, int) for it in told["grid"][0]["values"])


def test_steps_of_a_tenth_are_tenths(version):
    percent = path_of(version, "percent")
    values = options(version, axis(percent, "0.5", "1.2", "0.1"))["grid"][0]["values"]
    assert values == [0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2]


@pytest.mark.parametrize(
    ("numbers", "field", "words"),
    [
        ((1, 20, 4), "low_1", "goes from 2"),
        ((5, 9999, 4), "high_1", "goes from 2"),
        ((None, 20, 4), "low_1", "write a number"),
        (("5.5", 20, 4), "low_1", "whole numbers"),
        ((20, 5, 4), "high_1", "higher end"),
        ((5, 20, 0), "step_1", "above zero"),
        ((5, 20, None), "step_1", "above zero"),
        ((5, 20, "0.5"), "step_1", "whole numbers"),
        ((5, 7, 10), "step_1", "smaller one"),
        ((2, 200, 1), "step_1", "too many"),
    ],
)
def test_what_cannot_be_varied_so_names_field_and_reason(version, numbers, field, words):
    with pytest.raises(Invalid, match=words) as refused:
        options(version, axis(path_of(version, "fast"), *numbers))
    assert refused.value.field == field


def test_a_path_of_other_rules_and_one_twice_are_refused(version):
    fast = axis(path_of(version, "fast"), 5, 9, 2)
    for axes, field in (
        ((), "path_1"),
        ((axis("x", 1, 2, 1),), "path_1"),
        ((fast, fast), "path_2"),
    ):
        with pytest.raises(Invalid) as refused:
            options(version, *axes)
        assert refused.value.field == field


def test_too_many_combinations_say_how_many_and_what_to_do(version):
    fast = axis(path_of(version, "fast"), 5, 40, 1)
    slow = axis(path_of(version, "slow"), 50, 100, 1)
    with pytest.raises(Invalid, match=r"36 × 51 = 1,836 .* 500 are the most") as refused:
        options(version, fast, slow)
    assert refused.value.field == "step_2"


def test_too_much_work_is_refused_before_anybody_waits_for_it(version):
    fast = axis(path_of(version, "fast"), 5, 40, 1)
    with pytest.raises(Invalid, match="candles to simulate") as refused:
        options(version, fast, plan={"since": END - timedelta(days=60_000)})
    assert refused.value.field == "since"


def test_a_grid_in_which_nothing_can_be_run_is_refused(version):
    """A fast average must be faster than the slow one."""
    slow = version.rules["signals"][0]["params"]["slow"]
    with pytest.raises(Invalid, match="No combination can be run"):
        options(version, axis(path_of(version, "fast"), slow + 10, slow + 20, 5))


@pytest.mark.parametrize(
    ("inner", "outer", "field"),
    [
        (None, 2, "in_sample"),
        (10, 0, "out_of_sample"),
        (29, 2, "in_sample"),
        (5, 1, "out_of_sample"),
    ],
)
def test_windows_that_do_not_fit_the_period_are_named(version, inner, outer, field):
    fast = axis(path_of(version, "fast"), 5, 9, 2)
    lengths = [None if it is None else Decimal(it) for it in (inner, outer)]
    with pytest.raises(Invalid) as refused:
        options(
            version,
            fast,
            in_sample=lengths[0],
            out_of_sample=lengths[1],
            kind=BacktestKind.WALK_FORWARD,
        )
    assert refused.value.field == field


def test_a_study_is_queued_run_in_its_mode_and_asked_for_again(version):
    fast = axis(path_of(version, "fast"), 5, 9, 2)
    made = backtests.request(
        version, plan(), note="", author=None, by=TESTER, now=NOW, study=Study((fast,))
    )
    db.session.commit()
    errand = backtest_runs.begin(made.id, NOW)
    assert errand.request["mode"] == "sweep"
    assert errand.request["options"]["grid"][0]["values"] == [5, 7, 9]
    backtests.cancel(made, by=TESTER, now=NOW)
    assert made.kind is BacktestKind.SWEEP
    assert backtests.label_of(made).startswith("Parameter sweep of ")


def test_a_combination_alone_runs_with_its_values_on_the_same_version(version):
    fast = path_of(version, "fast")
    made = backtests.request(
        version, plan(), note="", author=None, by=TESTER, now=NOW, values={fast: 7}
    )
    db.session.commit()
    request = backtest_runs.begin(made.id, NOW).request
    assert request["rules"]["signals"][0]["params"]["fast"] == 7
    assert "values" not in request
    assert (request["mode"], request["options"]) == ("monte_carlo", {"runs": 1000})
    assert version.rules["signals"][0]["params"]["fast"] != 7


@pytest.mark.parametrize("values", [{"signals[9].params.fast": 7}, {"signals[0].params.fast": 0}])
def test_values_that_do_not_fit_the_rules_are_refused(version, values):
    with pytest.raises(Invalid):
        backtests.request(version, plan(), note="", author=None, by=TESTER, now=NOW, values=values)


def test_only_single_runs_are_compared(version):
    single = backtested.row(version, NOW)
    sweep = backtested.row(version, NOW, kind=BacktestKind.SWEEP)
    db.session.commit()
    workspace = db.session.get_one(Workspace, version.workspace_id)
    found = backtests.of_ids(workspace, [sweep.id, single.id])
    assert [it.id for it in found] == [single.id]
    assert sweep.figures == {"tried": 6}
