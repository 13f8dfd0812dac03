"""What rings or warns at a bot, by the code its runner or the platform gives it.

Each kind has a title and what a person can do; its own words come with each time it is told.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """``title``: what it is, in one line; ``{}`` is the bot. ``cure``: what to do about it."""

    title: str
    cure: str


_LOOK = "Compare its position and its open orders with the exchange's own page."
ALARMS = {
    "lost_contact": Kind(
        "{} is silent and may hold a position",
        "Look at the exchange: close the position there if it must not wait. Its machine is "
        "looked for, and replaced once it is known to be gone.",
    ),
    "stop_missing": Kind(
        "{} holds a position without a stop",
        "The runner goes on placing one. If the reason stays, flatten the bot, or place a stop "
        "at the exchange yourself.",
    ),
    "foreign": Kind(
        "Something on the account of {} is not its own",
        "Close or cancel at the exchange what the text names, or give the bot an account of its "
        "own. It enters again by itself once nothing foreign is left.",
    ),
    "foreign_trades": Kind(
        "Trades on the account of {} are not its own",
        "Find out who trades there: a person, another bot, or the exchange itself. Then pause "
        "and renew the bot, which looks at the account anew.",
    ),
    "account_shared": Kind(
        "{} shares its account with another bot",
        "Give one of the two a key of another account, or stop the other one; then resume this "
        "one.",
    ),
    "unlisted": Kind(
        "{} holds what its exchange lists no more",
        "See at the exchange what became of it, then write it off on the bot's page; until then "
        "its machine stays.",
    ),
    "cannot_run": Kind(
        "{} cannot trade",
        "Change what the text names, then start it again. Nobody manages its exits meanwhile; "
        "stops at the exchange stay.",
    ),
    "unreadable_event": Kind(
        "{} reports what cannot be read",
        "Ask the operator whether its machine runs another version of the runner; a renewal "
        "gives it the newest one.",
    ),
    "left_unprotected": Kind(
        "{} left a position without a stop",
        "Start it, or close the position at the exchange: nobody looks after it now.",
    ),
    "end_unproven": Kind("{} ended before its position was known", _LOOK + " Then start it again."),
    "entry_left": Kind(
        "{} left orders that may still enter",
        "Cancel them at the exchange, or start the bot: it takes them back.",
    ),
    "reconciled": Kind(
        "The position of {} changed without a trade",
        _LOOK + " If somebody else trades on its account, give the bot one of its own.",
    ),
    "trouble_disk": Kind(
        "{} cannot write to its machine's disk",
        "Renew its machine, or ask the operator for a larger disk. Stops at the exchange stay; "
        "close the position there if it must not wait.",
    ),
    "trouble_fault": Kind(
        "{} met a fault of the program",
        "It goes on by itself after a minute without another one. If it rings again, pause the "
        "bot and open a ticket with a diagnostic bundle.",
    ),
    "code_failed": Kind(
        "The code of {} was stopped",
        "It enters no more; what it holds keeps its stop and the strategy's other exits. Put the "
        "line right that the text names, save a new version and give it to the bot; or flatten it.",
    ),
}
WARNINGS = {
    "code_error": Kind(
        "The code of {} failed on a candle",
        "It is asked again at the next one. The text names hook and line; save a new version.",
    ),
    "venue_not_ready": Kind(
        "{} waits for the exchange",
        "It is tried again by itself, at least twice a minute; look at the exchange's status page.",
    ),
    "preflight_failed": Kind(
        "{} makes no entries: its preflight failed",
        "Each check that is bad says under Address and machine what to do; it is repeated at "
        "least once a minute.",
    ),
    "terms_differ": Kind(
        "{} makes no entries: margin or leverage differ",
        "Set at the exchange what the text names; it is read again every five minutes.",
    ),
    "trouble_clock": Kind(
        "{} makes no entries: its clock is off",
        "Set the clock of the machine by NTP, or renew the machine.",
    ),
    "trouble_data": Kind(
        "{} makes no entries: its prices stand still",
        "It goes on by itself when they move again. If only this symbol is silent, see whether "
        "the exchange still trades it.",
    ),
    "refused": Kind(
        "The exchange refused something {} asked",
        "The text says why and what to change at the exchange or in the bot.",
    ),
    "order_refused": Kind(
        "The exchange refused an order of {}",
        "The text says why. An exit is tried again after a moment; an entry waits for the next "
        "signal.",
    ),
    "balance_differs": Kind(
        "The balance of {} changed without a trade of its own",
        "If nobody moved money, somebody else trades there: give the bot an account of its own.",
    ),
    "order_adopted": Kind(
        "{} took over an order it had no record of", "Nothing: it is its own and looked after."
    ),
    "position_adopted": Kind(
        "{} took over a position whose record was lost",
        "See that its stop is where you want it; its exits are managed as usual.",
    ),
    "position_elsewhere": Kind(
        "{} still holds a symbol it no longer trades",
        "Its exits are managed; flatten the bot if you want to be out at once.",
    ),
    "stop_replaced_bare": Kind(
        "{} had no stop for a moment",
        "Nothing now: this exchange takes no second stop beside the first one.",
    ),
    "stop_late": Kind(
        "{} had its stop late",
        "Nothing now: it rests, or the position is closed. If it happens often without the machine "
        "having been lost, take a region nearer to the exchange or a larger machine.",
    ),
    "platform_set_back": Kind(
        "{} was known better than the platform's backup",
        "See that its mode, limits, key and pause are what you want: what was changed after the "
        "backup is forgotten.",
    ),
    "left_unprotected": ALARMS["left_unprotected"],
    "reconciled": ALARMS["reconciled"],
}
LASTING = frozenset(
    {"venue_not_ready", "preflight_failed", "terms_differ", "trouble_clock", "trouble_data"}
)
"""Warnings whose end is told; the others are about one moment."""
_UNKNOWN = Kind("{} needs you", "Read what it says, and look at its page.")


def of(code: str) -> Kind:
    """The kind of a code; a runner of another version may tell one that is not known here.

    What follows a blank in a code is the symbol it rings for.
    """
    name = code.split(" ", maxsplit=1)[0]
    return ALARMS.get(name) or WARNINGS.get(name, _UNKNOWN)


def title(code: str, bot: str) -> str:
    """What it is, in one line."""
    return of(code).title.format(bot)


def cure(code: str) -> str:
    """What a person can do about it."""
    return of(code).cure
