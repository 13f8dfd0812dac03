"""The settings of one process, read from the environment once and never changed."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from app.compute_settings import Compute, read_compute
from app.desk_settings import Inbound, Telegram, read_inbound, read_telegram
from app.domain import price_book
from app.domain.lifecycle import Tempo
from app.domain.price_book import Book
from app.mail_settings import MailServer, default_sender, read_sender, read_server
from app.setting_names import ALL, BY_NAME
from app.settings import Reader, SettingsError, is_loopback

__all__ = ["Config", "SettingsError", "is_database", "read_master_keys", "with_driver"]

_GENERATE = "python -c 'import secrets; print(secrets.token_hex(32))'"
_KEYS = "python -m app.gateways.vault"
_SIGNING_KEYS = "python -m app.gateways.signing"
_REQUEST_LIMIT = 2 * 1024 * 1024


@dataclass(frozen=True)
class Config:
    """Every setting, typed and checked. Secrets are left out of ``repr``."""

    role: str
    var_dir: Path
    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    tempo: Tempo
    secret_key: str = field(default="", repr=False)
    older_secret_keys: tuple[str, ...] = field(default=(), repr=False)
    master_keys: tuple[str, ...] = field(default=(), repr=False)
    seal_public_key: str = ""
    signing_key: str = field(default="", repr=False)
    signing_public_keys: tuple[str, ...] = ()
    storage_url: str = ""
    base_url: str = "http://127.0.0.1:8000"
    host: str = "127.0.0.1"
    port: int = 8000
    trusted_hosts: tuple[str, ...] = ("127.0.0.1", "localhost")
    proxy_hops: int = 0
    app_name: str = "plutarc"
    demo: bool = False
    signup: str = "open"
    compute: Compute = field(default_factory=Compute)
    compute_driver: str = "local"
    compute_in_flight: int = 8
    code_strategies: bool = False
    runner_base_url: str = "http://127.0.0.1:8001"
    exchange_endpoints: dict[str, str] = field(default_factory=dict)
    runner_streams: bool = True
    prices: Book = field(default_factory=price_book.shipped, repr=False)
    log_format: str = "text"
    mail_server: MailServer | None = None
    mail_from: str = "plutarc@localhost"
    inbound: Inbound = field(default_factory=Inbound)
    telegram: Telegram = field(default_factory=Telegram)

    @property
    def bundle_dir(self) -> Path:
        """Where built runners lie, named by their SHA-256."""
        return self.var_dir / "bundles"

    @classmethod
    def from_environment(cls, environ: Mapping[str, str], role: str) -> Config:
        """Read and check everything a process of this role needs.

        Raises:
            SettingsError: one line per fault, with its cure.
        """
        if role not in ALL:
            raise SettingsError([f"There is no role {role!r}; choose one of {', '.join(ALL)}."])
        read = Reader(environ, role)
        values = _identity(read) | _keys(read) | _signing(read) | _stores(read)
        values |= read_compute(read)
        values |= _mail(read, values["base_url"])
        values |= {"inbound": read_inbound(read), "telegram": read_telegram(read)}
        config = cls(role=role, var_dir=read.var_dir, **values)
        _refuse_contradictions(config, read)
        if read.faults:
            raise SettingsError(read.faults)
        return config

    def _cookie_name(self) -> str:
        """Cookies know no ports: two checkouts on one host must not sign each other out."""
        parts = urlsplit(self.base_url)
        return "__Host-plutarc" if parts.scheme == "https" else f"plutarc-{parts.port or 80}"

    def for_flask(self) -> dict[str, Any]:
        """What Flask and its extensions read."""
        return {
            "SECRET_KEY": self.secret_key or None,
            "SECRET_KEY_FALLBACKS": list(self.older_secret_keys),
            "SQLALCHEMY_DATABASE_URI": self.database_url,
            "SQLALCHEMY_ENGINE_OPTIONS": _engine_options(self.database_url),
            "TRUSTED_HOSTS": list(self.trusted_hosts),
            "SESSION_COOKIE_NAME": self._cookie_name(),
            "SESSION_COOKIE_SECURE": self.base_url.startswith("https://"),
            "SESSION_COOKIE_HTTPONLY": True,
            "SESSION_COOKIE_SAMESITE": "Lax",
            # A poll under way while the token changes would bring the old one back.
            "SESSION_REFRESH_EACH_REQUEST": False,
            "MAX_CONTENT_LENGTH": _REQUEST_LIMIT,
            "APP_NAME": self.app_name,
        }


def _identity(read: Reader) -> dict[str, Any]:
    """Who we are and where people find us."""
    port = read.number("PORT", 8000, 1, 65535)
    base_url = read.url("BASE_URL", f"http://127.0.0.1:{port}")
    runner_base_url = read.url("RUNNER_BASE_URL", "http://127.0.0.1:8001")
    named = [host.strip() for host in read.text("TRUSTED_HOSTS").split(",") if host.strip()]
    own = runner_base_url if read.role == "gate" else base_url
    return {
        "host": read.text("HOST", "127.0.0.1"),
        "port": port,
        "base_url": base_url,
        "runner_base_url": runner_base_url,
        "trusted_hosts": tuple(named) or _hosts_of(own),
        "proxy_hops": read.number("PROXY_HOPS", 0, 0, 5),
        "app_name": read.text("APP_NAME", "plutarc"),
        "demo": read.flag("DEMO"),
        "signup": read.choice("SIGNUP", ("open", "invite", "closed"), "open"),
        "log_format": read.choice("LOG_FORMAT", ("text", "json"), "text"),
    }


def _hosts_of(address: str) -> tuple[str, ...]:
    """The host of an address; on loopback each of its usual names."""
    host = urlsplit(address).hostname or ""
    usual = ("127.0.0.1", "localhost", "[::1]") if is_loopback(host) else ()
    return tuple(dict.fromkeys((host, *usual)))


def _keys(read: Reader) -> dict[str, Any]:
    # A command that seals or locks nothing, such as verifying a log, runs without an installation.
    demanded = (lambda name, _cure: read.text(name)) if read.role == "cli" else read.required
    text = demanded("SECRET_KEY", f"make one with: {_GENERATE}")
    first, *older = [key.strip() for key in text.split(",") if key.strip()] or [""]
    if text and any(len(key) < 32 or len(set(key)) < 10 for key in (first, *older)):
        read.fault("SECRET_KEY", f"is too weak; make one with: {_GENERATE}")
    public = demanded("SEAL_PUBLIC_KEY", f"make a pair with: {_KEYS}")
    if public and not _is_key(public):
        read.fault("SEAL_PUBLIC_KEY", f"is not 32 bytes in base64; make a pair with: {_KEYS}")
    masters: tuple[str, ...] = ()
    if read.role in ("web", "worker", "ticker"):
        _refuse_master_keys(read)
    elif read.role == "gate":
        masters = _master_keys(read)
    return {
        "secret_key": first,
        "older_secret_keys": tuple(older),
        "seal_public_key": public,
        "master_keys": masters,
    }


def _signing(read: Reader) -> dict[str, Any]:
    """What signs checkpoints, what tells them, and where their copies lie."""
    private = read.text("SIGNING_KEY")
    if private and not _is_key(private):
        read.fault("SIGNING_KEY", f"is not 32 bytes in base64; make a pair with: {_SIGNING_KEYS}")
    public = tuple(key.strip() for key in read.text("SIGNING_PUBLIC_KEY").split(",") if key.strip())
    if not all(map(_is_key, public)):
        read.fault("SIGNING_PUBLIC_KEY", f"holds no 32 bytes in base64; see: {_SIGNING_KEYS}")
    storage = read.text("STORAGE_URL", (read.var_dir / "files").as_uri())
    if not storage.startswith("file:///"):
        read.fault("STORAGE_URL", "is no storage known here; set file:///….")
    return {"signing_key": private, "signing_public_keys": public, "storage_url": storage}


def read_master_keys(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The master keys for the command that asks, so that no other command ever holds them.

    Raises:
        SettingsError: not set, or one is no key.
    """
    read = Reader(environ, "cli")
    keys = _master_keys(read)
    if read.faults:
        raise SettingsError(read.faults)
    return keys


def _master_keys(read: Reader) -> tuple[str, ...]:
    text = read.required("MASTER_KEYS", f"make a pair with: {_KEYS}")
    keys = tuple(key.strip() for key in text.split(",") if key.strip())
    if not all(_is_key(key) for key in keys):
        read.fault("MASTER_KEYS", f"holds one that is not 32 bytes in base64; see: {_KEYS}")
    return keys


def _refuse_master_keys(read: Reader) -> None:
    if any(read.environ.get(name, "").strip() for name in ("MASTER_KEYS", "MASTER_KEYS_FILE")):
        read.fault(
            "MASTER_KEYS", f"must not be given to the {read.role}; only the gate may have it."
        )


def _is_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == 32
    except (binascii.Error, ValueError):
        return False


def _stores(read: Reader) -> dict[str, Any]:
    database = with_driver(read.text("DATABASE_URL", f"sqlite:///{read.var_dir / 'plutarc.db'}"))
    if not is_database(database):
        read.fault("DATABASE_URL", "is no database we know; set sqlite:///… or postgresql://….")
    redis = read.text("REDIS_URL", f"unix://{read.var_dir / 'redis.sock'}")
    if not redis.startswith(("redis://", "rediss://", "unix://")):
        read.fault("REDIS_URL", "is no address we know; set redis://…, rediss://… or unix://….")
    return {"database_url": database, "redis_url": redis}


def with_driver(url: str) -> str:
    """A database address with the driver that this release speaks PostgreSQL with."""
    if url.startswith(("postgres://", "postgresql://")):
        return f"postgresql+psycopg://{url.split('://', 1)[1]}"
    return url


def is_database(url: str) -> bool:
    """Whether this release keeps its rows in such a database."""
    return url.startswith(("sqlite:///", "postgresql+psycopg://"))


def _mail(read: Reader, base_url: str) -> dict[str, Any]:
    """Where letters go out. The web asks only whether, so it does not keep the password."""
    server = None
    url = read.text("SMTP_URL") if read.role in BY_NAME["SMTP_URL"].roles else ""
    sender = read.text("MAIL_FROM", default_sender(urlsplit(base_url).hostname or ""))
    try:
        server = read_server(url) if url else None
    except ValueError as error:
        read.fault("SMTP_URL", str(error))
    try:
        read_sender(sender)
    except ValueError as error:
        read.fault("MAIL_FROM", str(error))
    if server is not None and read.role == "web":
        server = replace(server, password="")
    return {"mail_server": server, "mail_from": sender}


def _refuse_contradictions(config: Config, read: Reader) -> None:
    if not config.demo:
        return
    public = urlsplit(config.base_url).hostname or ""
    if not (is_loopback(config.host) and is_loopback(public)):
        read.fault(
            "DEMO", "has a sign-in everybody knows; set DEMO=0 or keep HOST and BASE_URL local."
        )


def _engine_options(url: str) -> dict[str, Any]:
    """PostgreSQL connections are checked before use and never waited for endlessly.

    The values of a failed statement stay out of its error: they can be a person's.
    """
    if url.startswith("sqlite"):
        return {"hide_parameters": True}
    return {
        "hide_parameters": True,
        "pool_pre_ping": True,
        "pool_size": 5,
        "max_overflow": 10,
        "pool_timeout": 10,
        "connect_args": {"connect_timeout": 5},
    }
