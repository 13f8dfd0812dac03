"""What the paper venue remembers between orders, and across sleep and kill."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from runner.exchange.base import Execution, OrderReport
from runner.ledger import Lot
from runner.protocol import from_plain


@dataclass
class PaperState:
    """Everything the paper venue remembers; JSON-safe through ``to_plain``."""

    balance: Decimal
    lots: dict[str, Lot] = field(default_factory=dict)
    orders: dict[str, OrderReport] = field(default_factory=dict)
    executions: list[Execution] = field(default_factory=list)
    seen: dict[str, datetime] = field(default_factory=dict)
    number: int = 0

    @classmethod
    def restore(cls, plain: dict[str, Any]) -> PaperState:
        """Raises ``ProtocolError`` when the stored state is damaged."""
        return cls(
            balance=from_plain(_Number, {"value": plain["balance"]}).value,
            lots={s: from_plain(Lot, lot) for s, lot in plain["lots"].items()},
            orders={i: from_plain(OrderReport, order) for i, order in plain["orders"].items()},
            executions=[from_plain(Execution, e) for e in plain["executions"]],
            seen={s: datetime.fromisoformat(at) for s, at in plain["seen"].items()},
            number=plain["number"],
        )


@dataclass(frozen=True)
class _Number:
    value: Decimal
