"""Binance's USD-M futures."""

from runner.capabilities.table import Capabilities, Engine, Sandbox
from runner.protocol import Mode

_REAL = "https://fapi.binance.com"
_WALLET = "https://api.binance.com"  # for the rights of a key; only live keys are known there

BINANCE = Capabilities(
    exchange="binance",
    title="Binance USD-M",
    ccxt_id="binanceusdm",
    quote="USDT",
    symbols=("BTC/USDT:USDT", "ETH/USDT:USDT", "SOL/USDT:USDT"),
    timeframes=("1m", "5m", "15m", "1h", "4h", "1d"),
    candles_at_once=1000,
    sandbox=Sandbox.DEMO,
    hosts={
        Mode.PAPER: (_REAL,),
        Mode.TESTNET: ("https://demo-fapi.binance.com",),
        Mode.LIVE: (_REAL, _WALLET),
    },
    post_only=True,
    streams=True,
    stream_hosts={
        Mode.PAPER: "wss://fstream.binance.com",
        Mode.TESTNET: "wss://fstream.binancefuture.com",
        Mode.LIVE: "wss://fstream.binance.com",
    },
    test_keys="demo.binance.com",
    unbound_key_days=30,
    engine=Engine("Tokyo", "asia-northeast1"),
)
