"""How the funnel is told: its steps in their order, and what each is a share of."""

from runner.metrics.funnel import MEANINGS

STEPS = (
    ("candles", "Candles", ""),
    ("unfit", "Unfit", "candles"),
    ("warming_up", "Warming up", "candles"),
    ("held", "In a position", "candles"),
    ("exits", "Exits", "held"),
    ("no_signal", "No signal", "candles"),
    ("signals", "Signals", "candles"),
    ("other_side", "For the other side", "signals"),
    ("signals_blocked", "Blocked", "signals"),
    ("entries", "Entries", "signals"),
    ("external", "External signals", ""),
    ("external_entries", "Entries by external signal", "external"),
    ("filled", "Filled", "entries"),
)
LIMITS = (
    *(("daily loss ", "daily loss"), ("drawdown ", "drawdown"), ("cooling down ", "cool-down")),
    *(("order value … would", "order value"), ("position value … would", "position value")),
    *(("positions of … exceed", "leverage"), ("positions of … would exceed", "leverage")),
    *(("positions of … would touch", "balance reserve"), ("… of … positions", "open positions")),
    *(("… orders per minute", "orders per minute"), ("… orders in a row", "refused orders")),
)
"""How what a limit says begins, and the limit's name."""
GLOBALS = {"funnel_steps": STEPS, "funnel_meanings": MEANINGS}


def limit(blocked: str) -> str | None:
    """The name of the limit that said so, if one did."""
    said = blocked.removeprefix("limit: ")
    return next((name for start, name in LIMITS if said.startswith(start)), None)
