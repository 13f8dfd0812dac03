"""KuCoin's codes, as far as they matter to a futures account.

https://www.kucoin.com/docs-new/error-code (gateway and futures), and the older list at
https://www.kucoin.com/docs/errors-code/futures-errors-code.
"""

from runner.exchange.causes import Cause

CODES: dict[str, Cause] = {
    "1015": Cause.RATE,  # by address, for 30 seconds
    "40010": Cause.ACCOUNT,
    "100001": Cause.REQUEST,  # also "orderNotExist", which the adapter reads for itself
    "100002": Cause.UNKNOWN,  # "systemConfigError"
    "100003": Cause.DELISTED,
    "100004": Cause.GONE,
    "112010": Cause.ACCOUNT,  # "Invalid Unified Account user"
    "200002": Cause.RATE,
    "200003": Cause.DELISTED,
    "200005": Cause.FUNDS,
    "300000": Cause.REQUEST,
    "300001": Cause.TOO_MANY,
    "300002": Cause.MAINTENANCE,  # "Order placement/cancellation suspended"
    "300003": Cause.FUNDS,
    "300004": Cause.TOO_MANY,
    "300005": Cause.TOO_MANY,
    "300006": Cause.PRICE,
    "300007": Cause.PRICE,
    "300008": Cause.PRICE,  # nobody stands on the other side
    "300009": Cause.REDUCE_ONLY,
    "300011": Cause.PRICE,
    "300012": Cause.PRICE,
    "300013": Cause.PRICE,
    "300014": Cause.BUSY,  # frozen by a liquidation
    "300015": Cause.BUSY,  # settlement in progress
    "300016": Cause.LEVERAGE,
    "300017": Cause.ACCOUNT,
    "300018": Cause.DUPLICATE,
    "330005": Cause.ACCOUNT,  # the symbol's margin mode is not the order's
    "330008": Cause.FUNDS,
    "330011": Cause.POSITION_MODE,
    "330012": Cause.POSITION_MODE,
    "400001": Cause.REQUEST,
    "400002": Cause.CLOCK,
    "400003": Cause.KEY_WRONG,
    "400004": Cause.KEY_WRONG,
    "400005": Cause.KEY_WRONG,
    "400006": Cause.ADDRESS,
    "400007": Cause.PERMISSION,
    "400008": Cause.KEY_EXPIRED,  # a key of version 1 or 2: a new one must be made
    "400010": Cause.PERMISSION,
    "400100": Cause.REQUEST,
    "400202": Cause.ADDRESS,
    "400301": Cause.ACCOUNT,
    "400303": Cause.ACCOUNT,
    "404000": Cause.REQUEST,
    "411100": Cause.ACCOUNT,
    "415000": Cause.REQUEST,
    "429000": Cause.RATE,
    "500000": Cause.UNKNOWN,
}
