"""What the pages of results load."""

from datetime import UTC, datetime
from typing import Any

from flask import request, url_for

from app import current
from app.domain.analytics import report, scope
from app.domain.analytics.scope import Scope, Whose
from app.forms.analytics import AnalyticsForm, mode_of
from app.web import figures
from runner.protocol import Mode

HEADLINE = (
    *(("trades", "net_profit"), ("curve", "return"), ("curve", "max_drawdown")),
    *(("trades", "win_rate"), ("trades", "profit_factor"), ("trades", "expectancy")),
    *(("curve", "sharpe"), ("trades", "trades")),
)
SECTIONS = (
    (
        "Return and risk",
        "curve",
        (
            *("annual_return", "equity_result", "sortino", "calmar"),
            *("drawdown_length", "drawdown_recovery"),
        ),
    ),
    (
        "How sure it is",
        "trades",
        ("sqn", "p_value", "mean_low", "mean_high", "wins_low", "wins_high"),
    ),
    (
        "Wins and losses",
        "trades",
        (
            *("average_win", "average_loss", "payoff", "largest_win", "largest_loss"),
            *("win_streak", "loss_streak"),
        ),
    ),
    ("Time", "trades", ("holding", "holding_wins", "holding_losses", "exposure")),
    ("Costs", "costs", ("fees", "funding", "slippage", "volume", "cost_share")),
    (
        "Execution quality",
        "execution",
        ("arrival_slippage", "fill_ratio", "time_to_fill", "maker_share", "rejects"),
    ),
)
SPLIT = ("trades", "net_profit", "win_rate", "profit_factor", "expectancy", "holding")


def page(whose: Whose, **about: Any) -> dict[str, Any]:
    """All that one page of results shows."""
    form, asked = _asked(whose)
    found = report.of(asked)
    groups = [
        (title, [getattr(found, part)[name] for name in names]) for title, part, names in SECTIONS
    ]
    return {
        "form": form,
        "report": found,
        "scope": asked,
        "headline": [getattr(found, part)[name] for part, name in HEADLINE],
        "groups": groups,
        "sides": [(side, [sums[it] for it in SPLIT]) for side, sums in found.sides.items()],
        "heat": list(figures.heat(found.hours)),
        "weekdays": figures.WEEKDAYS,
        "tabs": _tabs(asked),
        "series": _here(f"{request.endpoint}_points", asked.mode, form.address()),
        "here": _here(str(request.endpoint), asked.mode, {}),
    } | {"bot": None, "strategy": None, **about}


def lines(whose: Whose) -> dict[str, Any]:
    """The result and the drawdown by day, for the charts."""
    told = report.lines(_asked(whose)[1])
    stamps = [
        int(datetime(it.day.year, it.day.month, it.day.day, tzinfo=UTC).timestamp()) for it in told
    ]
    return {
        "version": f"{len(told)}-{told[-1].result:.2f}" if told else "none",
        "equity": [
            {"time": at, "value": round(it.result, 2)} for at, it in zip(stamps, told, strict=True)
        ],
        "drawdown": [
            {"time": at, "value": round(it.drawdown, 3)}
            for at, it in zip(stamps, told, strict=True)
        ],
        "live": False,
    }


def _tabs(asked: Scope) -> list[tuple[str, str, bool]]:
    """The same page in each mode: text, address, whether it is this one."""
    said = {name: request.args[name] for name in ("range",) if name in request.args}
    endpoint = str(request.endpoint)
    return [
        (mode.capitalize(), _here(endpoint, mode, said), mode is asked.mode)
        for mode in reversed(Mode)
    ]


def _here(endpoint: str, mode: Mode, said: dict[str, str]) -> str:
    """An address about the same workspace, bot or strategy."""
    values: dict[str, Any] = {**(request.view_args or {}), **said, "mode": mode}
    return url_for(endpoint, **values)


def _asked(whose: Whose) -> tuple[AnalyticsForm, Scope]:
    form, now = AnalyticsForm(formdata=request.args), current.now()
    mode = mode_of(request.args.get("mode", ""), scope.modes(whose))
    asked = scope.of(whose, mode, form.currency.data, form.since(now), now)
    known = scope.currencies(whose, mode) or [asked.currency]
    form.offer(known)
    form.currency.data = asked.currency
    return form, asked
