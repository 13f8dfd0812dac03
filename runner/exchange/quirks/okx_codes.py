"""OKX's codes ("Error Code", https://www.okx.com/docs-v5/en/#error-code), as far as they matter.

"1" and "2" only say that an order failed; its own ``sCode`` says why and is looked at first.
"""

from runner.exchange.causes import Cause

CODES: dict[str, Cause] = {
    "50001": Cause.MAINTENANCE,
    "50004": Cause.UNKNOWN,  # "API endpoint request timeout (does not mean it failed)"
    "50005": Cause.MAINTENANCE,
    "50007": Cause.ACCOUNT,
    "50011": Cause.RATE,
    "50013": Cause.BUSY,
    **dict.fromkeys(map(str, range(50017, 50024)), Cause.BUSY),  # frozen by a liquidation or ADL
    "50014": Cause.REQUEST,
    "50026": Cause.UNKNOWN,  # "System error. Try again later"
    "50027": Cause.ACCOUNT,
    "50030": Cause.PERMISSION,
    "50035": Cause.ADDRESS,
    "50040": Cause.RATE,
    "50061": Cause.RATE,
    "50100": Cause.ACCOUNT,
    "50101": Cause.ENVIRONMENT,
    "50102": Cause.CLOCK,
    "50103": Cause.KEY_WRONG,
    "50104": Cause.KEY_WRONG,
    "50105": Cause.KEY_WRONG,
    "50110": Cause.ADDRESS,
    "50111": Cause.KEY_WRONG,
    "50112": Cause.CLOCK,
    "50113": Cause.KEY_WRONG,
    "50114": Cause.PERMISSION,
    "50119": Cause.KEY_EXPIRED,  # "API key doesn't exist": lapsed keys are deleted
    "50120": Cause.PERMISSION,
    "51000": Cause.REQUEST,
    "51001": Cause.DELISTED,
    "51004": Cause.TOO_MANY,
    "51006": Cause.PRICE,
    "51008": Cause.FUNDS,
    "51010": Cause.ACCOUNT,
    "51016": Cause.DUPLICATE,
    "51020": Cause.MINIMUM,
    "51021": Cause.DELISTED,
    "51022": Cause.DELISTED,
    "51023": Cause.REDUCE_ONLY,
    "51024": Cause.ACCOUNT,
    "51025": Cause.TOO_MANY,
    "51027": Cause.DELISTED,
    "51028": Cause.DELISTED,
    "51029": Cause.BUSY,
    "51030": Cause.BUSY,
    "51046": Cause.PRICE,
    "51047": Cause.PRICE,
    "51048": Cause.PRICE,
    "51049": Cause.PRICE,
    "51065": Cause.DUPLICATE,
    "51112": Cause.REDUCE_ONLY,  # "Close order size exceeds your available size"
    "51121": Cause.PRECISION,
    "51131": Cause.FUNDS,
    "51149": Cause.UNKNOWN,  # "Order timed out", seen together with the id of an order
    "51169": Cause.REDUCE_ONLY,
    "51174": Cause.TOO_MANY,
    "51205": Cause.REDUCE_ONLY,  # "Reduce Only is not available"
    "51278": Cause.PRICE,
    "51280": Cause.PRICE,
    "51400": Cause.GONE,
    "51401": Cause.GONE,
    "51402": Cause.GONE,
    "51410": Cause.GONE,
    "51603": Cause.GONE,
    "59000": Cause.LEVERAGE,
    "59101": Cause.LEVERAGE,
    "59102": Cause.LEVERAGE,
    "59103": Cause.FUNDS,
    "54109": Cause.ACCOUNT,  # the pair must be activated on the website first
}
