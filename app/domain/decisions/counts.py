"""What stands in a block without reading it: conclusions and verdicts, and how often each."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.domain.decisions.judged import Judged
from runner.metrics.funnel import EXTERNAL, EXTERNAL_ENTRIES, SIGNALS, STAGES, Funnel, Reason

Outcome = tuple[str, int, str, bool]
"""Action, code of the reason, what blocked, and whether a signal from outside asked."""
Said = tuple[str, str, int | None]
"""Component, role and value."""

EXITS, SIGNALLED, LONG, SHORT = "exits", "signals", "enter_long", "enter_short"
STEPS = (
    *("candles", *dict.fromkeys(STAGES.values()), EXITS, SIGNALLED, LONG, SHORT),
    *(EXTERNAL, EXTERNAL_ENTRIES),
)
"""What the funnel counts, and the two sides of an entry."""


@dataclass(frozen=True)
class Counts:
    """How often each conclusion and each verdict stands in a block."""

    outcomes: Counter[Outcome]
    said: Counter[Said]


def of(rows: Iterable[Judged]) -> Counts:
    """Count them."""
    outcomes: Counter[Outcome] = Counter()
    said: Counter[Said] = Counter()
    for row in rows:
        outcomes[outcome_of(row)] += 1
        said.update((it.component, it.role, it.value) for it in row.verdicts)
    return Counts(outcomes, said)


def text(rows: Sequence[Judged]) -> str:
    """The counts of rows as JSON."""
    found = of(rows)
    outcomes = [
        [*key, *([1] if external else []), count]
        for (*key, external), count in found.outcomes.items()
    ]
    plain = [outcomes, [[*key, count] for key, count in found.said.items()]]
    return json.dumps(plain, separators=(",", ":"), ensure_ascii=False)


def read(words: str) -> Counts:
    """What ``text`` wrote."""
    outcomes, said = json.loads(words)
    return Counts(
        Counter(
            {
                (action, code, by, bool(external)): count
                for action, code, by, *external, count in outcomes
            }
        ),
        Counter({(component, role, value): count for component, role, value, count in said}),
    )


def outcome_of(row: Judged) -> Outcome:
    """What a conclusion is counted as."""
    return row.action, row.code, row.blocked_by, bool(row.signal)


def fits(outcome: Outcome, step: str) -> bool:
    """Whether a conclusion is counted in a step of the funnel."""
    action, code, _, external = outcome
    if external:
        return step == EXTERNAL or (step == EXTERNAL_ENTRIES and code == Reason.ENTERS)
    if step in (LONG, SHORT):
        return action == step
    if step == EXITS:
        return code == Reason.LEAVES
    stage = STAGES[Reason(code)]
    return step in {"candles", stage} or (step == SIGNALLED and stage in SIGNALS)


def add(funnel: Funnel, outcomes: Counter[Outcome]) -> None:
    """Let a funnel count them."""
    for (_, code, blocker, external), count in outcomes.items():
        if external:
            funnel.add_external(code, count)
        else:
            funnel.add(code, blocker, count)
