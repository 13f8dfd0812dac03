"""Binance's error codes ("Error Code" of the USDⓈ-M Futures documentation), as far as they matter.

HTTP 503 has three wordings; only "Service Unavailable." with -1000 and -1016 say that nothing was
done, and ccxt hands the first on without its status, so it stays unknown.
"""

from runner.exchange.causes import Cause

CODES: dict[str, Cause] = {
    "-1003": Cause.RATE,
    "-1006": Cause.UNKNOWN,
    "-1007": Cause.UNKNOWN,
    "-1008": Cause.BUSY,  # "Server is currently overloaded with other requests": not processed
    "-1015": Cause.RATE,
    "-1016": Cause.MAINTENANCE,
    "-1021": Cause.CLOCK,
    "-1022": Cause.KEY_WRONG,
    "-1102": Cause.REQUEST,
    "-1106": Cause.REQUEST,
    "-1111": Cause.PRECISION,
    "-1121": Cause.DELISTED,
    "-1130": Cause.REQUEST,
    "-2010": Cause.REQUEST,
    "-2011": Cause.GONE,
    "-2013": Cause.GONE,
    "-2014": Cause.KEY_WRONG,
    "-2015": Cause.KEY_REFUSED,  # "Invalid API-key, IP, or permissions for action": one code
    "-2018": Cause.FUNDS,
    "-2019": Cause.FUNDS,
    "-2021": Cause.PRICE,
    "-2022": Cause.REDUCE_ONLY,
    "-2023": Cause.ACCOUNT,
    "-2024": Cause.FUNDS,
    "-2025": Cause.TOO_MANY,
    "-2027": Cause.TOO_MANY,
    "-2028": Cause.FUNDS,
    "-4003": Cause.MINIMUM,
    "-4004": Cause.MINIMUM,
    "-4005": Cause.TOO_MANY,
    "-4014": Cause.PRECISION,
    "-4016": Cause.PRICE,
    "-4023": Cause.PRECISION,
    "-4024": Cause.PRICE,
    "-4028": Cause.LEVERAGE,
    "-4045": Cause.TOO_MANY,
    "-4061": Cause.POSITION_MODE,
    "-4062": Cause.REDUCE_ONLY,
    "-4108": Cause.DELISTED,
    "-4116": Cause.DUPLICATE,
    "-4118": Cause.REDUCE_ONLY,
    "-4131": Cause.PRICE,
    "-4140": Cause.DELISTED,
    "-4141": Cause.DELISTED,
    "-4164": Cause.MINIMUM,
    "-4183": Cause.PRICE,
    "-4184": Cause.PRICE,
    "-5021": Cause.PRICE,
    "-5022": Cause.PRICE,
}
