"""The settings as data."""

from __future__ import annotations

from dataclasses import dataclass

ALL = ("web", "gate", "worker", "ticker", "cli")
BROWSER = ("web", "cli")
MAIL = ("web", "worker", "cli")
DESK = ("web", "worker", "ticker", "cli")


@dataclass(frozen=True)
class Setting:
    """One environment variable; ``default`` as text for people, ``None`` if there is none.

    ``make run`` makes a ``kept`` one at the first start and keeps it under ``secrets/``.
    """

    name: str
    meaning: str
    default: str | None = None
    secret: bool = False
    roles: tuple[str, ...] = ALL
    kept: bool = False


SETTINGS = (
    Setting(
        "SECRET_KEY",
        "Signs sessions, locks seeds of second factors. Comma-separated to change it: the first is "
        "used, the others still open what is older.",
        secret=True,
        roles=BROWSER,
        kept=True,
    ),
    Setting(
        "MASTER_KEYS",
        "Open sealed credentials: the first belongs to `SEAL_PUBLIC_KEY`, others open older ones. "
        "Comma-separated. Of the commands `rotate-keys` and `doctor` alone read them.",
        secret=True,
        roles=("gate", "cli"),
        kept=True,
    ),
    Setting("SEAL_PUBLIC_KEY", "Seals credentials; cannot open them.", roles=BROWSER, kept=True),
    Setting(
        "SIGNING_KEY",
        "Signs checkpoints of the audit log, Ed25519. Without it none are made.",
        "none (`make run` makes one)",
        secret=True,
        roles=("worker",),
        kept=True,
    ),
    Setting(
        "SIGNING_PUBLIC_KEY",
        "Its public half, which tells true checkpoints; older ones follow, comma-separated.",
        "none (`make run` makes one)",
        roles=BROWSER,
        kept=True,
    ),
    Setting(
        "STORAGE_URL",
        "Where files are kept, attachments among them: `file:///…`, the same for all.",
        "`files` in `VAR_DIR`",
        roles=DESK,
    ),
    Setting(
        "DATABASE_URL",
        "The database, SQLite or PostgreSQL (`postgresql://user@host/name`).",
        "`plutarc.db` in `VAR_DIR`",
        secret=True,
    ),
    Setting(
        "REDIS_URL", "Redis or Valkey: `redis://`, `rediss://`, `unix://`.", "embedded", secret=True
    ),
    Setting("VAR_DIR", "Where an installation keeps what it writes.", "`var`"),
    Setting("BASE_URL", "The address people use, in links.", "`http://127.0.0.1:PORT`"),
    Setting("HOST", "The address to listen on.", "`127.0.0.1`"),
    Setting("PORT", "The port to listen on; `make run` takes the next free one.", "`8000`"),
    Setting(
        "TRUSTED_HOSTS",
        "Host names to answer to, comma-separated.",
        "the host of `BASE_URL`, for the gate that of `RUNNER_BASE_URL`",
        roles=("web", "gate"),
    ),
    Setting(
        "PROXY_HOPS",
        "How many proxies stand in front of the web (0 to 5). Machines reach the gate without.",
        "`0`",
        roles=BROWSER,
    ),
    Setting("APP_NAME", "The name shown to people.", "`plutarc`"),
    Setting("DEMO", "Demo data and its sign-in; loopback only.", "`0` (`make run`: `1`)"),
    Setting(
        "SIGNUP",
        "Who may make an account: anybody (`open`), who is invited (`invite`), nobody (`closed`).",
        "`open`",
    ),
    Setting(
        "COMPUTE_DRIVER",
        "Where machines live: `local` (on this computer) or `gce` (Compute Engine).",
        "`local`",
    ),
    Setting("GCE_PROJECT", "The project of the machines.", "required for `gce`"),
    Setting("GCE_REGIONS", "Where bots can live, comma-separated.", "required for `gce`"),
    Setting("GCE_MACHINE_TYPE", "What kind of machine each bot gets.", "`e2-micro`"),
    Setting("GCE_NETWORK_TIER", "Of the addresses: `standard` or `premium`.", "`standard`"),
    Setting(
        "GCE_IMAGE",
        "What a machine starts from; its Python has to be of the worker's minor version.",
        "Debian 12",
    ),
    Setting(
        "GCE_ENV_LABEL",
        "Tells apart the installations that share a project; never change it while machines live.",
        "`prod`",
    ),
    Setting("GCE_API_ENDPOINT", "Another address of the Compute Engine API.", "Google's"),
    Setting(
        "GCE_CREDENTIALS",
        "Path of a service account's key file; `anonymous` only with an endpoint on loopback.",
        "the application default ones",
        roles=("worker", "cli"),
    ),
    Setting(
        "COMPUTE_IN_FLIGHT",
        "How many machines may be on their way at once; others wait in line (1 to 100).",
        "`8`",
    ),
    Setting(
        "ALLOW_CODE_STRATEGIES",
        "Whether strategies may be Python classes. `local` machines share this computer with them; "
        "with `gce` each dry run and backtest has a machine of its own.",
        "`0`; with `gce` `1`",
    ),
    Setting("SLEEP_MIN_GAP", "The shortest pause worth giving a machine back.", "`20s`"),
    Setting("SLEEP_FLAT_FOR", "How long a bot is flat before its machine goes.", "`3s`"),
    Setting("WAKE_LEAD_MIN", "How long before a session its machine comes.", "`3s`"),
    Setting(
        "PRICE_BOOK",
        "Path of a price book of your own, JSON as `app/domain/data/price_book.json`.",
        "the shipped one",
    ),
    Setting("RUNNER_BASE_URL", "The gate, as machines reach it.", "`http://127.0.0.1:8001`"),
    Setting(
        "EXCHANGE_ENDPOINTS",
        "JSON, exchange to base URL, for simulators and proxies; refused for live.",
        "`{}` (`make run`: the practice market)",
    ),
    Setting(
        "RUNNER_STREAMS",
        "Whether bots also listen to their venue's streams, so that fills and candles are asked "
        "for at once. Off, they only ask at intervals; what is believed is the same.",
        "`1`",
    ),
    Setting(
        "SMTP_URL",
        "The server that takes letters: `smtp://user:password@host:587` (encrypted by STARTTLS, "
        "demanded of every host but this one; `?starttls=required` or `never` says otherwise) or "
        "`smtps://…:465`. Without it letters wait in the operator's console.",
        "none",
        secret=True,
        roles=MAIL,
    ),
    Setting(
        "MAIL_FROM",
        "The address letters come from.",
        "plutarc at the host of `BASE_URL`",
        roles=MAIL,
    ),
    Setting(
        "INBOUND_MAIL_DOMAIN",
        "The domain whose mail is handed to us, e.g. `reply.example.org`. Without it nobody can "
        "answer tickets by mail.",
        "none",
        roles=DESK,
    ),
    Setting(
        "INBOUND_MAIL_KEY",
        "Proves what comes to `/webhooks/mail/raw`, signs return addresses and locks stored mail; "
        "at least 32 characters.",
        "none (`make run` makes one)",
        secret=True,
        roles=MAIL,
        kept=True,
    ),
    Setting(
        "MAIL_AUTHSERV_ID",
        "The name under which our own mail server reports its checks (`Authentication-Results`). "
        "Without it no mail counts as proven by that header.",
        "none",
        roles=MAIL,
    ),
    Setting(
        "POSTMARK_INBOUND_AUTH",
        "`user:password` that Postmark sends along (Basic). Without it that door is shut.",
        "none",
        secret=True,
        roles=("web",),
    ),
    Setting(
        "MAILGUN_SIGNING_KEY",
        "Mailgun's key for webhooks. Without it that door is shut.",
        "none",
        secret=True,
        roles=("web",),
    ),
    Setting(
        "TELEGRAM_BOT_TOKEN",
        "The bot that rings the operators. Without it Telegram is off.",
        "none",
        secret=True,
        roles=MAIL,
    ),
    Setting(
        "TELEGRAM_WEBHOOK_SECRET",
        "What Telegram proves itself with at `/webhooks/telegram`. Without it updates are fetched "
        "(hosts without public HTTPS).",
        "none",
        secret=True,
        roles=MAIL,
    ),
    Setting(
        "TELEGRAM_OPERATOR_CHAT_ID",
        "The operators' chat; with topics each ticket gets one.",
        "none",
        roles=DESK,
    ),
    Setting(
        "TELEGRAM_API_BASE",
        "Where the Bot API is; another one for a server of your own.",
        "`https://api.telegram.org`",
        roles=MAIL,
    ),
    Setting("LOG_FORMAT", "`text` or `json`.", "`text`"),
)
BY_NAME = {setting.name: setting for setting in SETTINGS}


def table() -> str:
    """The settings as README's table."""
    rows = ["| setting | meaning | default | read by |", "|---|---|---|---|"]
    for setting in SETTINGS:
        name = f"`{setting.name}`" + (" (secret)" if setting.secret else "")
        roles = "all" if setting.roles == ALL else ", ".join(setting.roles)
        rows.append(f"| {name} | {setting.meaning} | {setting.default or 'required'} | {roles} |")
    return "\n".join(rows) + "\n"
