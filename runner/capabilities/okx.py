"""OKX's linear swaps."""

from runner.capabilities.table import Capabilities, Engine, Sandbox
from runner.protocol import Mode

OKX = Capabilities(
    exchange="okx",
    title="OKX",
    ccxt_id="okx",
    quote="USDT",
    symbols=("BTC/USDT:USDT", "ETH/USDT:USDT", "SOL/USDT:USDT"),
    timeframes=("1m", "5m", "15m", "1h", "4h", "1d"),
    candles_at_once=300,
    sandbox=Sandbox.HEADER,
    hosts=dict.fromkeys(Mode, ("https://www.okx.com",)),
    # "If sz exceeds the current position size, the entire order is rejected" ("Place order").
    trims=False,
    post_only=True,
    test_keys="www.okx.com under Demo trading",
    unbound_key_days=14,
    engine=Engine("Hong Kong", "asia-east2"),
)
