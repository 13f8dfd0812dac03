"""The form of a strategy's rules as it was sent."""

from flask import request

from app.forms.strategies import RulesForm
from app.models import Strategy, StrategyVersion


def base_of(strategy: Strategy) -> StrategyVersion:
    """The version the form sent was opened on; its fields are those of that version's parts."""
    told = request.form.get("base", "")
    return next((item for item in strategy.versions if str(item.number) == told), strategy.latest)


def rules_sent(strategy: Strategy, step: str = "") -> RulesForm:
    """The form as it was sent, after a step of the builder if there is one."""
    base = base_of(strategy)
    return RulesForm.of(base.rules, base.number, request.form.getlist("part"), step)
