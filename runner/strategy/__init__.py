"""Strategies as data: components, validation, explanation and templates. Standard library only."""

from runner.strategy.combination import NEEDS_THRESHOLD
from runner.strategy.explanation import explain
from runner.strategy.registry import COMPONENTS, is_protected, listens, warmup
from runner.strategy.spec import TIMEFRAMES, ComponentSpec, Parameter
from runner.strategy.templates import TEMPLATES, Template
from runner.strategy.validation import Fault, validate
from runner.strategy.varying import Dial, dials, varied

__all__ = [
    "COMPONENTS",
    "NEEDS_THRESHOLD",
    "TEMPLATES",
    "TIMEFRAMES",
    "ComponentSpec",
    "Dial",
    "Fault",
    "Parameter",
    "Template",
    "dials",
    "explain",
    "is_protected",
    "listens",
    "validate",
    "varied",
    "warmup",
]
