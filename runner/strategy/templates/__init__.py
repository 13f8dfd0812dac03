"""Ready-made strategies, each with a protective stop and a word on when it fails."""

from runner.strategy.templates import breakout, reversion, staged, trend
from runner.strategy.templates.parts import Template

TEMPLATES: tuple[Template, ...] = (
    *trend.TEMPLATES,
    *reversion.TEMPLATES,
    *breakout.TEMPLATES,
    *staged.TEMPLATES,
)

__all__ = ["TEMPLATES", "Template"]
