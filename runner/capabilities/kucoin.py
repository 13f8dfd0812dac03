"""KuCoin's linear perpetuals."""

from runner.capabilities.table import Capabilities, Engine, Sandbox
from runner.protocol import Mode

_FUTURES = "https://api-futures.kucoin.com"

KUCOIN = Capabilities(
    exchange="kucoin",
    title="KuCoin Futures",
    ccxt_id="kucoinfutures",
    quote="USDT",
    symbols=("BTC/USDT:USDT", "ETH/USDT:USDT", "SOL/USDT:USDT"),
    timeframes=("1m", "5m", "15m", "1h", "4h", "1d"),
    candles_at_once=200,
    sandbox=Sandbox.NONE,
    modes=(Mode.PAPER, Mode.LIVE),
    # The rights of a key are told by the other host alone, and to a live bot.
    hosts={Mode.PAPER: (_FUTURES,), Mode.LIVE: (_FUTURES, "https://api.kucoin.com")},
    post_only=True,
    unbound_key_days=30,
    engine=Engine("Tokyo", "asia-northeast1"),
)
