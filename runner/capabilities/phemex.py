"""Phemex's USDT perpetuals."""

from runner.capabilities.table import Capabilities, Engine, Sandbox
from runner.protocol import Mode

_REAL = "https://api.phemex.com"

PHEMEX = Capabilities(
    exchange="phemex",
    title="Phemex",
    ccxt_id="phemex",
    quote="USDT",
    symbols=("BTC/USDT:USDT", "ETH/USDT:USDT", "SOL/USDT:USDT"),
    timeframes=("1m", "5m", "15m", "1h", "4h", "1d"),
    candles_at_once=1000,
    sandbox=Sandbox.HOST,
    hosts={
        Mode.PAPER: (_REAL,),
        Mode.TESTNET: ("https://testnet-api.phemex.com",),
        Mode.LIVE: (_REAL,),
    },
    # What becomes of a stop for more than is held is written nowhere.
    trims=False,
    post_only=True,
    test_keys="testnet.phemex.com",
    engine=Engine("Singapore", "asia-southeast1"),
)
