"""Small fakes of real venues, each behind the unmodified ccxt class; compared with documentation.

Binance needs none: the practice market speaks its protocol.
"""
