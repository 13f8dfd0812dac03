"""The practice market: a small exchange on loopback that speaks Binance USD-M futures over REST."""
