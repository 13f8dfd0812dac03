"""Bybit's retCodes (https://bybit-exchange.github.io/docs/v5/error), as far as they matter."""

from runner.exchange.causes import Cause

CODES: dict[str, Cause] = {
    "429": Cause.RATE,
    "10000": Cause.UNKNOWN,  # "Server Timeout"
    "10001": Cause.REQUEST,
    "10002": Cause.CLOCK,
    "10003": Cause.KEY_WRONG,  # also a key of the other environment: Bybit tells them not apart
    "10004": Cause.KEY_WRONG,
    "10005": Cause.PERMISSION,
    "10006": Cause.RATE,
    "10007": Cause.KEY_WRONG,
    "10008": Cause.ACCOUNT,
    "10009": Cause.ACCOUNT,
    "10010": Cause.ADDRESS,
    "10014": Cause.UNKNOWN,  # "Invalid duplicate request": an earlier one may have arrived
    "10016": Cause.UNKNOWN,  # "Server error": it may have come that far
    "10018": Cause.RATE,
    "10019": Cause.BUSY,
    "10024": Cause.ACCOUNT,
    "10027": Cause.ACCOUNT,
    "10028": Cause.ACCOUNT,
    "10029": Cause.DELISTED,
    "10429": Cause.RATE,
    "20001": Cause.GONE,
    "33004": Cause.KEY_EXPIRED,
    "110001": Cause.GONE,
    "110003": Cause.PRICE,
    "110004": Cause.FUNDS,
    "110006": Cause.FUNDS,
    "110007": Cause.FUNDS,
    "110008": Cause.GONE,
    "110009": Cause.TOO_MANY,
    "110010": Cause.GONE,
    "110012": Cause.FUNDS,
    "110013": Cause.TOO_MANY,
    "110016": Cause.TOO_MANY,
    "110017": Cause.REDUCE_ONLY,
    "110020": Cause.TOO_MANY,
    "110021": Cause.TOO_MANY,
    "110022": Cause.TOO_MANY,
    "110023": Cause.DELISTED,  # "Currently you can only reduce your position on this contract"
    "110030": Cause.DUPLICATE,
    "110036": Cause.LEVERAGE,
    "110038": Cause.LEVERAGE,
    "110040": Cause.FUNDS,
    "110042": Cause.DELISTED,
    "110044": Cause.FUNDS,
    "110045": Cause.FUNDS,
    "110052": Cause.FUNDS,
    "110051": Cause.FUNDS,
    "110053": Cause.FUNDS,
    "110063": Cause.BUSY,  # settlement in progress
    "110066": Cause.MAINTENANCE,  # "No trading is allowed at the current time"
    "110072": Cause.DUPLICATE,
    "110074": Cause.DELISTED,
    "110092": Cause.PRICE,
    "110093": Cause.PRICE,
    "110094": Cause.MINIMUM,
    "170130": Cause.REQUEST,
}
