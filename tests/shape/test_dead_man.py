"""A venue's dead-man switch takes protective stops back too, so nothing here ever arms one."""

import ast

from tests.shape import source

# ccxt's unified names, then the venues' own endpoints behind them.
SWITCHES = (
    "cancelallordersafter",
    "cancel_all_orders_after",
    "countdowncancelall",
    "cancelallafter",
    "disconnectedcancelall",
    "disconnected-cancel-all",
    "cancel-all-after",
)


def mentions(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield node.attr, node.lineno
        elif isinstance(node, ast.Name):
            yield node.id, node.lineno
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value, node.lineno


def armed(tree):
    """Lines that name a switch, in whatever spelling ccxt derives from an endpoint."""
    for word, line in mentions(tree):
        plain = word.lower().replace("/", "")
        if any(switch in plain or switch in plain.replace("_", "") for switch in SWITCHES):
            yield line


def test_no_dead_man_switch_is_ever_armed():
    faults = [
        f"{source.name(path)}:{line}"
        for path, tree in source.python("runner")
        for line in armed(tree)
    ]
    assert not faults, "It would take the stops of this and of other bots back: " + str(faults)


def test_it_would_be_found():
    for text in (
        "exchange.cancel_all_orders_after(1)",
        "exchange.cancelAllOrdersAfter(1)",
        "exchange.fapiprivate_post_countdowncancelall()",
        "exchange.request('trade/cancel-all-after')",
        "exchange.private_post_v5_order_disconnected_cancel_all()",
    ):
        assert list(armed(ast.parse(text))), text
