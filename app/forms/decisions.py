"""Which decisions of a bot are asked for, read from the address of the page."""

from typing import Any

from wtforms import SelectField

from app.domain.decisions import funnels
from app.domain.decisions.counts import Said
from app.domain.decisions.funnels import Summary
from app.forms.base import Form, offered
from app.models import Bot
from app.web.formatting import blocker, symbol, verdict_words, words
from runner.protocol import Mode

STEPS = {
    "": "All",
    "signals": "Signals",
    "signals_blocked": "Blocked signals",
    "other_side": "Signals for the other side",
    "entries": "Entries",
    "enter_long": "Entries, long",
    "enter_short": "Entries, short",
    "external": "External signals",
    "external_entries": "Entries by external signal",
    "exits": "Exits",
    "held": "Candles in a position",
    "no_signal": "No signal",
    "warming_up": "Warming up",
    "unfit": "Unfit candles",
}
USUAL = "7d"


def _choice(label: str, **options: Any) -> SelectField:
    return SelectField(label, default="", validate_choice=False, **options)


class DecisionFilterForm(Form):
    """One field for each part of the filter. What was offered once may have left the period."""

    period = SelectField("Period", default=USUAL, choices=offered(funnels.PERIODS.items()))
    mode = SelectField("Mode")
    symbol = SelectField("Symbol", default="")
    step = SelectField("Outcome", default="", choices=offered(STEPS.items()))
    blocker = _choice("Blocked by")
    said = _choice("Verdict")

    def offer(self, bot: Bot) -> None:
        """Fill in modes and symbols; whoever asks for nothing sees the present mode."""
        self._fields["mode"].choices = offered((it, it) for it in funnels.modes(bot))
        if not self.mode.data:
            self.mode.data = bot.mode.value
        names = [(it, symbol(it)) for it in funnels.symbols(bot)]
        self._fields["symbol"].choices = offered([("", "All"), *names])

    def offer_found(self, found: Summary) -> None:
        """Fill in what blocked and what was said in the period, and keep what is chosen."""
        blockers = [(it, f"{blocker(it)} ({n:,})") for it, n in found.counts["blocked"].items()]
        said = [(_key(it), f"{_say(it)} ({n:,})") for it, n in sorted(found.said.items(), key=_by)]
        for field, choices in ((self.blocker, blockers), (self.said, said)):
            if field.data and field.data not in dict(choices):
                choices.append((field.data, field.data))
            field.choices = offered([("", "Any"), *choices])

    @property
    def chosen_mode(self) -> Mode:
        """The mode, which is one of those offered."""
        return Mode(self.mode.data)

    @property
    def chosen_said(self) -> Said | None:
        """Component, role and value; ``None`` where none is asked for."""
        component, role, value = [*(self.said.data or "").split(":"), "", "", ""][:3]
        if not component:
            return None
        return component, role, int(value) if value.lstrip("-").isdecimal() else None

    def address(self, **other: str) -> dict[str, str]:
        """What is filled in and not usual, for links to the same candles."""
        filled = {**{name: value for name, value in self.data.items() if value}, **other}
        return {
            name: value for name, value in filled.items() if value and value != self._usual(name)
        }

    def _usual(self, name: str) -> str:
        return USUAL if name == "period" else ""


def _key(said: Said) -> str:
    component, role, value = said
    return f"{component}:{role}:{'' if value is None else value}"


def _say(said: Said) -> str:
    component, role, _ = said
    return f"{words(component)}, {role}: {verdict_words(*said)}"


def _by(item: tuple[Said, int]) -> tuple[str, str, int]:
    (component, role, value), _ = item
    return role, component, -2 if value is None else -value
