"""The signal webhook of a bot: its secret, who may send, what senders call its symbols."""

import ipaddress
import secrets
from datetime import datetime

from app.domain import audit_columns, bot_events, workspaces
from app.domain.audit import Actor, Change
from app.domain.errors import Conflict, Invalid, Refused
from app.extensions import db
from app.gateways.locker import Locked, Locker
from app.models import Bot, SignalHook, User
from runner.strategy import listens

TRADINGVIEW = ("52.89.214.238", "34.212.75.30", "54.218.53.128", "52.32.178.7")
"""The addresses its alerts come from, by its help page on webhooks (43000529348, November 2026)."""

LEAST_AGE, MOST_AGE = 5, 3600
_PURPOSE = "signal webhook"
_BYTES = 32
_MOST_SOURCES, _MOST_ALIASES, _LONGEST_ALIAS = 50, 50, 40


def of(bot: Bot) -> SignalHook | None:
    """The webhook of a bot, also one that is revoked."""
    return db.session.get(SignalHook, bot.id)


def hears(bot: Bot) -> bool:
    """Whether its strategy has a component that listens."""
    return listens(bot.version.rules)


def renew(bot: Bot, *, locker: Locker, author: User, by: Actor, now: datetime) -> str:
    """Open the webhook, or give it another secret; the one before is worth nothing from now on.

    Returns the secret, which is told this once. Raises ``Refused`` while the strategy is deaf.
    """
    workspaces.lock(bot.workspace)
    if not hears(bot):
        raise Refused(
            f"{bot.version.label} does not listen to signals from outside. Add the component "
            "External signal to it and give the bot that version."
        )
    hook = of(bot)
    renewed = hook is not None and hook.sealed is not None
    if hook is None:
        hook = SignalHook(
            workspace_id=bot.workspace_id, bot_id=bot.id, created_by=author.id, created_at=now
        )
        db.session.add(hook)
    secret = secrets.token_urlsafe(_BYTES)
    hook.sealed = locker.close(_PURPOSE, bot.id, secret.encode())
    hook.hint, hook.rotated_at = secret[-4:], now
    db.session.flush()
    action = "bot.signal_rotate" if renewed else "bot.signal_open"
    bot_events.record(action, bot, by, now, [Change("sealed", None, "changed")])
    return secret


def revoke(bot: Bot, *, by: Actor, now: datetime) -> None:
    """Shut the webhook at once. Raises ``Conflict`` where none is open."""
    workspaces.lock(bot.workspace)
    hook = of(bot)
    if hook is None or hook.sealed is None:
        raise Conflict("The webhook is shut already.")
    hook.sealed, hook.hint = None, ""
    bot_events.record("bot.signal_revoke", bot, by, now, [Change("sealed", None, "changed")])


def configure(
    bot: Bot, *, max_age: int, sources: str, aliases: str, by: Actor, now: datetime
) -> None:
    """Who may send, how old a message may be, and what senders call the symbols; as typed.

    Raises:
        Invalid: a line does not do; the text quotes it.
        Conflict: there is no webhook yet.
    """
    workspaces.lock(bot.workspace)
    hook = of(bot)
    if hook is None:
        raise Conflict("There is no webhook yet. Open it first.")
    if not LEAST_AGE <= max_age <= MOST_AGE:
        raise Invalid(f"Choose {LEAST_AGE} to {MOST_AGE} seconds.", "max_age")
    before = audit_columns.values_of(hook)
    hook.max_age, hook.sources = max_age, _sources(sources)
    hook.aliases = _aliases(aliases, bot)
    changes = audit_columns.changes_in(hook, before)
    if changes:
        bot_events.record("bot.signal_settings", bot, by, now, changes)


def secret_of(hook: SignalHook, locker: Locker) -> str | None:
    """The secret to compare with; ``None`` where it is revoked or does not open any more."""
    if hook.sealed is None:
        return None
    try:
        return locker.open(_PURPOSE, hook.bot_id, hook.sealed).decode()
    except Locked:
        return None


def admits(hook: SignalHook, source: str) -> bool:
    """Whether a message may come from this address."""
    if not hook.sources:
        return True
    try:
        address = ipaddress.ip_address(source)
    except ValueError:
        return False
    return any(address in ipaddress.ip_network(it) for it in hook.sources)


def _sources(text: str) -> list[str]:
    found = []
    for word in text.replace(",", " ").split():
        try:
            network = ipaddress.ip_network(word)
        except ValueError:
            message = f"{word[:60]} is no address and no network such as 203.0.113.0/24."
            raise Invalid(message, "sources") from None
        alone = network.num_addresses == 1
        found.append(str(network.network_address if alone else network))
    if len(found) > _MOST_SOURCES:
        raise Invalid(f"Use at most {_MOST_SOURCES} addresses.", "sources")
    return list(dict.fromkeys(found))


def _aliases(text: str, bot: Bot) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in filter(None, (line.strip() for line in text.splitlines())):
        alias, equals, symbol = (part.strip() for part in line.partition("="))
        if not (alias and equals) or len(alias) > _LONGEST_ALIAS:
            raise Invalid(f"“{line[:60]}”: write a line like XBTUSD = {bot.symbols[0]}.", "aliases")
        if symbol not in bot.symbols:
            names = ", ".join(bot.symbols)
            raise Invalid(f"The bot does not trade “{symbol[:40]}”. It trades {names}.", "aliases")
        found[alias] = symbol
    if len(found) > _MOST_ALIASES:
        raise Invalid(f"Use at most {_MOST_ALIASES} names.", "aliases")
    return found
