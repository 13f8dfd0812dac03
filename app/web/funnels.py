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
    ("filled", "Filled", "entries"),
)
GLOBALS = {"funnel_steps": STEPS, "funnel_meanings": MEANINGS}
