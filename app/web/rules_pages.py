"""The form of a strategy's rules as it was sent, and what came before it."""

from typing import Any

from flask import request

from app.domain import code_rules
from app.domain.strategy_changes import differences, lines
from app.forms.strategies import RulesForm
from app.forms.versions import NextVersionForm
from app.models import Strategy, StrategyVersion


def base_of(strategy: Strategy) -> StrategyVersion:
    """The version the form sent was opened on; its fields are those of that version's parts."""
    told = request.form.get("base", "")
    return next((item for item in strategy.versions if str(item.number) == told), strategy.latest)


def rules_sent(strategy: Strategy, step: str = "") -> RulesForm:
    """The form as it was sent, after a step of the builder if there is one."""
    base = base_of(strategy)
    return RulesForm.of(base.rules, base.number, request.form.getlist("part"), step)


def compared(before: StrategyVersion, after: StrategyVersion) -> dict[str, Any]:
    """What differs between two versions: by settings, and by lines of code."""
    texts = (code_rules.text_of(it.rules).splitlines() for it in (before, after))
    return {"differences": differences(before.rules, after.rules), "lines": lines(*texts)}


def overtaking(strategy: Strategy | None, base: int, form: NextVersionForm) -> dict[str, Any]:
    """What was published since version ``base``, where that is why ``form`` was not accepted."""
    if strategy is None or not form.overtaken:
        return {"newest": None}
    newest, first = strategy.latest, strategy.versions[-1]
    before = next((item for item in strategy.versions if item.number == base), first)
    return {"newest": newest} | compared(before, newest)
