"""Refusals, with the codes and words of Binance USD-M futures."""

from __future__ import annotations


class Refusal(Exception):
    """An answer that says no: ``code`` and ``msg`` go to the caller as JSON with ``status``."""

    def __init__(self, code: int, msg: str, status: int = 400, retry_after: int | None = None):
        super().__init__(f"{code}: {msg}")
        self.code = code
        self.msg = msg
        self.status = status
        self.retry_after = retry_after


def missing(parameter: str) -> Refusal:
    return Refusal(
        -1102,
        f"Mandatory parameter '{parameter}' was not sent, was empty/null, or malformed.",
    )


def invalid(parameter: str) -> Refusal:
    return Refusal(-1130, f"Data sent for parameter '{parameter}' is not valid.")


def too_much_weight(limit: int, retry_after: int) -> Refusal:
    return Refusal(
        -1003,
        f"Too many requests; current limit is {limit} requests per minute. "
        "Please use the websocket for live updates to avoid polling the API.",
        429,
        retry_after,
    )


def too_many_orders(limit: int, interval: str, retry_after: int) -> Refusal:
    return Refusal(
        -1015,
        f"Too many new orders; current limit is {limit} orders per {interval}.",
        429,
        retry_after,
    )


def banned(until: int, status: int, retry_after: int) -> Refusal:
    return Refusal(
        -1003,
        f"Way too many requests; IP banned until {until}. "
        "Please use the websocket for live updates to avoid bans.",
        status,
        retry_after,
    )


def unknown_listen_key() -> Refusal:
    return Refusal(-1125, "This listenKey does not exist.")


def unavailable(status: int) -> Refusal:
    """For certain nothing was done (General Info, "HTTP Return Codes", on 503)."""
    return Refusal(-1000, "Service Unavailable.", status)


def outcome_unknown(status: int) -> Refusal:
    """It may have been done or not (as above)."""
    return Refusal(-1000, "Unknown error, please check your request or try again later.", status)


def shut_down() -> Refusal:
    return Refusal(-1016, "This service is no longer available.", 503)


def late() -> Refusal:
    return Refusal(-1021, "Timestamp for this request is outside of the recvWindow.")


def early() -> Refusal:
    return Refusal(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")


def bad_signature() -> Refusal:
    return Refusal(-1022, "Signature for this request is not valid.")


def no_key() -> Refusal:
    return Refusal(-2014, "API-key format invalid.", 401)


def unknown_key() -> Refusal:
    return Refusal(-2015, "Invalid API-key, IP, or permissions for action.", 401)


def precision() -> Refusal:
    return Refusal(-1111, "Precision is over the maximum defined for this asset.")


def bad_symbol() -> Refusal:
    return Refusal(-1121, "Invalid symbol.")


def unknown_cancel() -> Refusal:
    return Refusal(-2011, "Unknown order sent.")


def unknown_order() -> Refusal:
    return Refusal(-2013, "Order does not exist.")


def margin_insufficient() -> Refusal:
    return Refusal(-2019, "Margin is insufficient.")


def would_trigger() -> Refusal:
    return Refusal(-2021, "Order would immediately trigger.")


def reduce_only_rejected() -> Refusal:
    return Refusal(-2022, "ReduceOnly Order is rejected.")


def above_leverage_cap() -> Refusal:
    return Refusal(-2027, "Exceeded the maximum allowable position at current leverage.")


def notional_too_small(minimum: str) -> Refusal:
    return Refusal(
        -4164,
        f"Order's notional must be no smaller than {minimum} (unless you choose reduce only).",
    )


def duplicate_client_id() -> Refusal:
    return Refusal(-4116, "ClientOrderId is duplicated.")


def not_fillable() -> Refusal:
    return Refusal(
        -5021,
        "Due to the order could not be filled immediately, the FOK order has been rejected.",
    )


def not_maker() -> Refusal:
    return Refusal(
        -5022,
        "Due to the order could not be executed as maker, the Post Only order will be rejected.",
    )
