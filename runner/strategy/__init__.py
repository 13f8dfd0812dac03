"""Strategies as data: components, validation, explanation and templates. Standard library only."""

from runner.strategy.combination import NEEDS_THRESHOLD
from runner.strategy.explanation import explain
from runner.strategy.registry import COMPONENTS, is_protected, listens, warmup
from runner.strategy.spec import TIMEFRAMES, ComponentSpec, Parameter
from runner.strategy.templates import TEMPLATES, Template
from runner.strategy.validation import Fault, validate

__all__ = [
    "COMPONENTS",
    "NEEDS_THRESHOLD",
    "TEMPLATES",
    "TIMEFRAMES",
    "ComponentSpec",
    "Fault",
    "Parameter",
    "Template",
    "explain",
    "is_protected",
    "listens",
    "validate",
    "warmup",
]
