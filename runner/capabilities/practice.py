"""The practice market, and its live twin for tests."""

from dataclasses import replace

from runner.capabilities.table import Capabilities, Sandbox
from runner.protocol import Mode

PRACTICE = Capabilities(
    exchange="practice",
    title="Practice market",
    ccxt_id="binanceusdm",
    quote="USDT",
    symbols=("BTC/USDT:USDT", "ETH/USDT:USDT", "SOL/USDT:USDT"),
    timeframes=("1s", "1m", "5m", "15m", "1h", "4h", "1d"),
    candles_at_once=1000,
    modes=(Mode.PAPER, Mode.TESTNET),
    sandbox=Sandbox.ENDPOINT,
    post_only=True,
    streams=True,
)
PRACTICE_TWIN = replace(
    PRACTICE,
    exchange="practice-live",
    title="Practice market, live for tests",
    modes=(Mode.PAPER, Mode.LIVE),
)
