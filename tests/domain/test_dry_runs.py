"""Code strategies as rows: read, tried, and only the very text that passed becomes a version."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.domain import code_rules, dry_runs, long_runs, strategies, strategy_changes, strategy_files
from app.domain.errors import Conflict, Invalid, NotAllowed, Refused
from app.extensions import db
from app.gateways.backtest_outcome import End, Outcome
from app.models import AuditEvent, BacktestState, DryRun
from tests import coded, factories
from tests.factories import NOW, TESTER
from tests.runner.code.sources import CROSSING, rules_of

LATE = NOW + long_runs.LOST_AFTER + timedelta(seconds=1)
OTHER = CROSSING.replace("(3, 2, 50)", "(4, 2, 50)")
FUNNEL = {"candles": 9, "entries": 1, "exits": 0, "signals": 1, "signals_blocked": 0, "blocked": {}}
ANSWER = {
    "funnel": {"BTC/USDT:USDT": FUNNEL},
    "trades": [],
    "trades_total": 0,
    "output": ["said"],
    "pinned": {"since": "a", "until": "b"},
}


def done(answer=None):
    return Outcome(End.DONE, json.dumps({"result": answer or ANSWER}).encode())


@pytest.fixture
def desk(app):
    made = factories.organisation()
    db.session.commit()
    return made


def request(desk, source=CROSSING, *, allowed=True, strategy=None, base=0, name="Crossing"):
    made = dry_runs.request(
        desk,
        name=name,
        source=source,
        strategy=strategy,
        base=base,
        allowed=allowed,
        author=None,
        by=TESTER,
        now=NOW,
    )
    db.session.commit()
    return made


def passed(desk, source=CROSSING, **more):
    made = request(desk, source, **more)
    dry_runs.finish(dry_runs.begin(made.id, NOW), done(), done(), NOW)
    db.session.expire_all()
    return db.session.get_one(DryRun, made.id)


def save(dry_run, *, allowed=True):
    return dry_runs.save(dry_run, note="", allowed=allowed, author=None, by=TESTER, now=NOW)


def test_what_passed_becomes_a_strategy_and_then_its_next_version(desk):
    first = save(passed(desk))
    assert (first.number, first.rules) == (1, rules_of(CROSSING))
    second = save(passed(desk, OTHER, strategy=first.strategy, base=1))
    assert (second.strategy_id, second.number) == (first.strategy_id, 2)
    found = strategy_changes.lines(CROSSING.splitlines(), OTHER.splitlines())
    assert [(it.sign, it.before, it.after) for it in found if it and it.sign != " "] == [
        ("-", 11, None),
        ("+", None, 11),
    ]
    events = db.session.scalars(select(AuditEvent).order_by(AuditEvent.seq)).all()
    kinds = [event.action for event in events if event.action.startswith("strategy.")]
    assert kinds == ["strategy.dry_run", "strategy.create", "strategy.dry_run", "strategy.publish"]
    assert not any("def on_candle" in json.dumps(event.changes) for event in events)


def test_no_other_text_than_the_one_that_passed_becomes_a_version(desk):
    passed(desk)
    words = {"author": None, "by": TESTER, "now": NOW}
    with pytest.raises(Refused, match="no dry run yet"):
        strategies.create(desk, name="a", rules=rules_of(OTHER), **words)
    elsewhere = factories.organisation()
    with pytest.raises(Refused, match="no dry run yet"):
        strategies.create(elsewhere, name="a", rules=rules_of(CROSSING), **words)
    made = strategies.create(desk, name="a", rules=rules_of(CROSSING), **words)
    with pytest.raises(Refused, match="no dry run yet"):
        strategies.publish(made, rules=rules_of(OTHER), base=1, note="", **words)


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (done(), done({**ANSWER, "trades_total": 2}), "different answers"),
        (
            Outcome(End.FAILED, fault={"component": "code", "field": "line 3", "message": "m"}),
            None,
            "m",
        ),
        (done(), Outcome(End.FAILED, fault={"message": "second"}), "second"),
        (Outcome(End.CANCELLED), None, "ended from outside"),
    ],
)
def test_what_did_not_pass_cannot_be_saved(desk, first, second, words):
    made = request(desk)
    assert dry_runs.finish(dry_runs.begin(made.id, NOW), first, second, NOW)
    db.session.expire_all()
    found = db.session.get_one(DryRun, made.id)
    assert found.state is BacktestState.FAILED
    assert words in found.fault["message"]
    with pytest.raises(Refused, match="has not passed"):
        save(found)


def test_switched_off_nothing_of_it_works_and_the_reason_is_told(desk):
    with pytest.raises(Refused, match="ALLOW_CODE_STRATEGIES"):
        request(desk, allowed=False)
    made = passed(desk)
    with pytest.raises(Refused, match="ALLOW_CODE_STRATEGIES"):
        save(made, allowed=False)
    code_rules.check_allowed({"signals": []}, allowed=False)


def test_faults_are_told_with_their_lines_and_nothing_is_queued(desk):
    with pytest.raises(code_rules.InvalidSource) as found:
        request(desk, "import os\n" + CROSSING)
    assert [fault.line for fault in found.value.faults] == [1]
    with pytest.raises(code_rules.InvalidSource) as found:
        request(desk, CROSSING.replace('"1m"', '"7m"'))
    assert [fault.line for fault in found.value.faults] == [7]
    with pytest.raises(Invalid, match="1 to 80"):
        request(desk, name=" ")
    assert db.session.scalars(select(DryRun)).all() == []


def test_it_is_taken_once_and_only_its_holder_is_heard(desk):
    made = request(desk)
    errand = dry_runs.begin(made.id, NOW)
    assert dry_runs.begin(made.id, NOW) is None
    assert errand.request["rules"] == rules_of(CROSSING)
    other = replace(errand, holder="hld_other")
    assert not dry_runs.beat(other, "candles", 1, 2, NOW)
    assert not dry_runs.finish(other, done(), done(), NOW)
    assert dry_runs.beat(errand, "candles", 1, 2, NOW)


def test_one_that_cannot_begin_waits_again_and_nobody_lost_it(desk):
    made = request(desk)
    for _ in range(3):
        dry_runs.give_back(dry_runs.begin(made.id, NOW), NOW)
        db.session.commit()
    found = db.session.get_one(DryRun, made.id, populate_existing=True)
    assert (found.state, found.attempt, found.holder) == (BacktestState.QUEUED, 0, "")


def test_a_lost_worker_is_followed_by_one_more_and_then_it_fails(desk):
    made = request(desk)
    dry_runs.begin(made.id, NOW)
    assert dry_runs.sweep(LATE) == 1
    assert dry_runs.begin(made.id, LATE) is not None
    db.session.commit()
    later = LATE + long_runs.LOST_AFTER + timedelta(seconds=1)
    assert dry_runs.sweep(later) == 1
    db.session.commit()
    db.session.expire_all()
    found = db.session.get_one(DryRun, made.id)
    assert (found.state, "lost twice" in found.fault["message"]) == (BacktestState.FAILED, True)


def test_few_wait_and_the_oldest_go(desk):
    for _ in range(dry_runs.MOST_WAITING):
        request(desk)
    with pytest.raises(Refused, match="wait or run"):
        request(desk)
    for row in db.session.scalars(select(DryRun)):
        row.state = BacktestState.FAILED
    for number in range(dry_runs.MOST_KEPT + 5):
        coded.dry_run(desk, NOW + timedelta(seconds=number))
    request(desk)
    assert len(db.session.scalars(select(DryRun)).all()) <= dry_runs.MOST_KEPT + 1


def test_a_strategy_stays_what_it_is(desk):
    built = factories.strategy(desk)
    with pytest.raises(NotAllowed):
        request(desk, strategy=built, base=1)
    code = save(passed(desk)).strategy
    with pytest.raises(NotAllowed):
        strategies.publish(
            code, rules=built.latest.rules, base=1, note="", author=None, by=TESTER, now=NOW
        )


def test_two_editors_of_one_strategy_do_not_overwrite_each_other(desk):
    strategy = save(passed(desk)).strategy
    mine = passed(desk, OTHER, strategy=strategy, base=1)
    theirs = passed(desk, CROSSING.replace("0.99", "0.98"), strategy=strategy, base=1)
    save(mine)
    with pytest.raises(Conflict, match="published after"):
        save(theirs)


def test_one_file_holds_the_source_as_it_was_typed(desk):
    version = save(passed(desk))
    text = strategy_files.written(version)
    assert "    def on_candle(self, candle):" in text
    found = strategy_files.read(text.encode())
    assert (found.name, found.rules) == ("Crossing", version.rules)
    with pytest.raises(strategy_files.UnreadableFile) as refused:
        strategy_files.read(text.replace("import Ema", "import os").encode())
    assert "code, Line 3" in refused.value.faults[0]


def test_reading_and_asking_never_runs_a_source(desk, tmp_path):
    """A source that leaves a mark when it runs leaves none."""
    left = tmp_path / "ran"
    source = CROSSING + f"\nprint({str(left)!r})\n"
    save(passed(desk, source))
    assert "strategy" not in sys.modules
    asked = "import app, app.jobs.worker, app.views, sys; sys.exit('runner.code' in sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", asked], env={"PATH": os.environ["PATH"]}, check=False
    )
    assert ran.returncode == 0
