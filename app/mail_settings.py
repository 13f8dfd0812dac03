"""Where letters are handed over, and from whom they come, as the settings say it."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

from app.settings import is_loopback

EXAMPLE = "smtp://user:password@mail.example.org:587"
_LONGEST_DOMAIN = 80  # it ends every Message-ID, and rows have 120 characters for those
_PORTS = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True)
class MailServer:
    """A server that takes letters. ``starttls``: refuse to speak on without encryption."""

    host: str
    port: int
    implicit_tls: bool
    starttls: bool
    user: str = ""
    password: str = field(default="", repr=False)


def read_server(url: str) -> MailServer:
    """Read ``smtp://user:password@host:587`` or ``smtps://…:465``.

    Over ``smtp`` encryption is demanded of every server but one on this machine;
    ``?starttls=required`` and ``?starttls=never`` say otherwise.

    Raises:
        ValueError: what is wrong with it and how to put it right; never quotes it.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError(f"is no address; set one such as {EXAMPLE}.") from None
    if parts.scheme not in _PORTS or not parts.hostname or port == 0 or parts.path.strip("/"):
        raise ValueError(f"is no mail server; set one such as {EXAMPLE}.")
    server = MailServer(
        host=parts.hostname,
        port=port or _PORTS[parts.scheme],
        implicit_tls=parts.scheme == "smtps",
        starttls=_starttls(parts.scheme, parts.query, parts.hostname),
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )
    in_the_clear = not (server.implicit_tls or server.starttls)
    if server.password and in_the_clear and not is_loopback(server.host):
        raise ValueError("would send its password unencrypted; take starttls=never out of it.")
    return server


def _starttls(scheme: str, query: str, host: str) -> bool:
    wishes = parse_qs(query, keep_blank_values=True)
    wish = wishes.pop("starttls", [""])[-1]
    if wishes or wish not in ("", "required", "never"):
        raise ValueError("ends in what we do not know; only ?starttls=required or never may stand.")
    if scheme == "smtps":
        return False
    return not is_loopback(host) if wish == "" else wish == "required"


def read_sender(address: str) -> str:
    """A plain address, ``name@domain``, in ASCII.

    Raises:
        ValueError: it is none.
    """
    name, _, domain = address.rpartition("@")
    plain = address.isascii() and address.isprintable() and not set(address) & set(' <>,;:"\\')
    if not (plain and name and domain) or len(name) > 64 or len(domain) > _LONGEST_DOMAIN:
        raise ValueError("is no plain address; set one such as plutarc@example.org.")
    return address


def default_sender(host: str) -> str:
    """The sender of an installation that was told none."""
    return f"plutarc@{'localhost' if is_loopback(host) else host}"
