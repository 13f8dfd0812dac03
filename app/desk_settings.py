"""How mail and Telegram reach the support desk, as the settings say it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from app.settings import Reader, is_loopback

TELEGRAM_API = "https://api.telegram.org"
_DOMAIN = re.compile(r"(?=.{1,80}$)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*", re.ASCII)
_TOKEN = re.compile(r"\d{1,20}:[A-Za-z0-9_-]{20,80}", re.ASCII)
_WEBHOOK_SECRET = re.compile(r"[A-Za-z0-9_-]{16,256}", re.ASCII)
_SHORTEST_KEY = 32


@dataclass(frozen=True)
class Inbound:
    """Where replies go and what proves mail that comes in. Empty values shut the door they open."""

    domain: str = ""
    key: str = field(default="", repr=False)
    authserv_id: str = ""
    postmark_auth: str = field(default="", repr=False)
    mailgun_key: str = field(default="", repr=False)

    @property
    def open(self) -> bool:
        """Whether tickets can be answered by mail."""
        return bool(self.domain and self.key)


@dataclass(frozen=True)
class Telegram:
    """The bot and the operators' chat. Without a secret for webhooks updates are fetched."""

    token: str = field(default="", repr=False)
    webhook_secret: str = field(default="", repr=False)
    chat_id: int = 0
    api_base: str = TELEGRAM_API

    @property
    def on(self) -> bool:
        """Whether there is a bot."""
        return bool(self.token)

    @property
    def bot_id(self) -> int:
        """The bot's own id, which its token begins with; 0 without one."""
        return int(self.token.partition(":")[0] or 0)

    @property
    def polls(self) -> bool:
        """Whether updates are fetched instead of delivered."""
        return self.on and not self.webhook_secret


def read_inbound(read: Reader) -> Inbound:
    """The settings of mail that comes in; faults go to ``read``."""
    domain = read.text("INBOUND_MAIL_DOMAIN").lower()
    if domain and not _DOMAIN.fullmatch(domain):
        read.fault("INBOUND_MAIL_DOMAIN", "is no domain; set one such as reply.example.org.")
    key = read.text("INBOUND_MAIL_KEY")
    if key and len(key) < _SHORTEST_KEY:
        read.fault("INBOUND_MAIL_KEY", f"is too short; set at least {_SHORTEST_KEY} characters.")
    postmark = read.text("POSTMARK_INBOUND_AUTH")
    if postmark and not all(postmark.partition(":")):
        read.fault("POSTMARK_INBOUND_AUTH", "is not user:password; set both.")
    return Inbound(
        domain,
        key,
        read.text("MAIL_AUTHSERV_ID").lower(),
        postmark,
        read.text("MAILGUN_SIGNING_KEY"),
    )


def read_telegram(read: Reader) -> Telegram:
    """The settings of Telegram; faults go to ``read`` and never quote a secret."""
    token = read.text("TELEGRAM_BOT_TOKEN")
    if token and not _TOKEN.fullmatch(token):
        read.fault("TELEGRAM_BOT_TOKEN", "is no token as @BotFather gives them.")
        token = ""
    secret = read.text("TELEGRAM_WEBHOOK_SECRET")
    if secret and not _WEBHOOK_SECRET.fullmatch(secret):
        read.fault("TELEGRAM_WEBHOOK_SECRET", "may have 16 to 256 letters, digits, _ and - only.")
    chat = read.text("TELEGRAM_OPERATOR_CHAT_ID", "0")
    if not re.fullmatch(r"-?\d{1,18}", chat, re.ASCII):
        read.fault("TELEGRAM_OPERATOR_CHAT_ID", "is no number; ask the bot for it with /id there.")
        chat = "0"
    base = read.url("TELEGRAM_API_BASE", TELEGRAM_API)
    parts = urlsplit(base)
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        read.fault("TELEGRAM_API_BASE", "would send the token unencrypted; set an https address.")
    return Telegram(token, secret, int(chat), base)
