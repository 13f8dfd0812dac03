"""Bybit's linear perpetuals."""

from runner.capabilities.table import Capabilities, Engine, Sandbox
from runner.protocol import Mode

_REAL = "https://api.bybit.com"

BYBIT = Capabilities(
    exchange="bybit",
    title="Bybit",
    ccxt_id="bybit",
    quote="USDT",
    symbols=("BTC/USDT:USDT", "ETH/USDT:USDT", "SOL/USDT:USDT"),
    timeframes=("1m", "5m", "15m", "1h", "4h", "1d"),
    candles_at_once=1000,
    sandbox=Sandbox.HOST,
    hosts={
        Mode.PAPER: (_REAL,),
        Mode.TESTNET: ("https://api-testnet.bybit.com",),
        Mode.LIVE: (_REAL,),
    },
    post_only=True,
    test_keys="testnet.bybit.com",
    unbound_key_days=90,
    engine=Engine("Singapore", "asia-southeast1", documented=True),
)
