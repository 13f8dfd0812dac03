"""Phemex's codes, as far as they matter.

https://phemex-docs.github.io/#bizerror-field and #http-return-codes; those of the last part stand
in no table there and were seen in answers (the comments in ccxt's phemex class and its issues).
"""

from runner.exchange.causes import Cause

CODES: dict[str, Cause] = {
    "429": Cause.RATE,
    "401": Cause.KEY_REFUSED,
    "403": Cause.PERMISSION,  # "when lack of privilege"
    "19999": Cause.UNKNOWN,  # "Duplicated request ID": an earlier one may have arrived
    "10001": Cause.DUPLICATE,
    "11033": Cause.DUPLICATE,
    "11085": Cause.DUPLICATE,
    "10002": Cause.GONE,
    "11015": Cause.GONE,  # "CONDITIONAL_TRIGGERED_OR_CANCELED"
    "11062": Cause.GONE,
    "11063": Cause.GONE,  # "not able to be canceled under current status"
    **dict.fromkeys(("10003", "10004", "10005", "11061", "11064"), Cause.BUSY),
    **dict.fromkeys(("11023", "11024"), Cause.BUSY),  # in liquidation, in auto-deleveraging
    **dict.fromkeys(("11040", "11041", "11042"), Cause.BUSY),  # no mark, index or last price yet
    "11016": Cause.UNKNOWN,  # "routed to the wrong trading engine"
    "11025": Cause.UNKNOWN,
    "11107": Cause.UNKNOWN,  # "TradingEngine failed to connect with CrossEngine"
    "11022": Cause.ACCOUNT,
    **dict.fromkeys(("11001", "11003", "11005", "11010", "11082"), Cause.FUNDS),
    **dict.fromkeys(("11097", "11100", "11101", "11105", "11106"), Cause.FUNDS),
    "11002": Cause.LEVERAGE,
    "11004": Cause.LEVERAGE,
    **dict.fromkeys(("11011", "11013", "11014", "11057", "11059", "11060"), Cause.REDUCE_ONLY),
    "11012": Cause.PRECISION,
    "11027": Cause.DELISTED,
    "11070": Cause.DELISTED,
    **dict.fromkeys(("11031", "11032", "11056", "11081", "11114"), Cause.TOO_MANY),
    **dict.fromkeys(map(str, range(11043, 11056)), Cause.PRICE),
    "11058": Cause.MINIMUM,
    "11115": Cause.MINIMUM,
    **dict.fromkeys(map(str, range(11034, 11040)), Cause.REQUEST),
    **dict.fromkeys(("11028", "11029", "11030", "11111", "11113"), Cause.REQUEST),
    # Seen, but in no table.
    "412": Cause.REQUEST,
    "6001": Cause.REQUEST,
    "20004": Cause.POSITION_MODE,  # "TE_ERR_INCONSISTENT_POS_MODE"
    "30000": Cause.REQUEST,
    "30018": Cause.REQUEST,
    "34003": Cause.PERMISSION,
    "39995": Cause.RATE,
    "39996": Cause.PERMISSION,
    "39997": Cause.DELISTED,
}
