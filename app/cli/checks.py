"""The checks of ``doctor`` in their order, each with the cure for not answering at all.

Loaded by that command alone: they bring the clients of Redis and HTTP along.
"""

from collections.abc import Callable

from redis import RedisError
from requests import RequestException
from sqlalchemy.exc import SQLAlchemyError

from app.cli import checks_audit, checks_here, checks_mail, checks_services, checks_telegram
from app.cli.finding import Finding, Level, Look
from app.config import SettingsError
from app.extensions import db

CHECKS: tuple[tuple[str, Callable[[Look], Finding], str], ...] = (
    ("settings", checks_here.settings, "set what the line names"),
    ("directory", checks_here.directory, "give VAR_DIR to the user that runs plutarc"),
    ("disk", checks_here.disk, "see that VAR_DIR names a directory that exists"),
    ("master keys", checks_here.master_keys, "put the key it was sealed with into MASTER_KEYS"),
    ("database", checks_services.database, "start it, or set DATABASE_URL"),
    ("migrations", checks_services.migrations, "flask --app wsgi db upgrade"),
    ("audit", checks_audit.audit, "see that STORAGE_URL can be read"),
    ("row security", checks_services.row_security, "flask --app wsgi db upgrade"),
    ("clock", checks_services.clock, "set the clock by NTP"),
    ("redis", checks_services.redis, "start it, or set REDIS_URL"),
    ("workers", checks_services.workers, "start python -m app.jobs.worker QUEUE"),
    ("ticker", checks_services.ticker, "start python -m app.jobs.ticker"),
    ("gate", checks_services.gate, "start the gate, or set RUNNER_BASE_URL"),
    ("practice market", checks_services.practice, "start python -m app.practice"),
    ("mail", checks_mail.mail, "set SMTP_URL, or mend the server"),
    ("mail in", checks_mail.mail_in, "set INBOUND_MAIL_DOMAIN and INBOUND_MAIL_KEY"),
    ("telegram", checks_telegram.telegram, "look at the network and TELEGRAM_API_BASE"),
    ("bots", checks_services.bots, "look at the bots named"),
)


def examine(check: Callable[[Look], Finding], look: Look, cure: str) -> Finding:
    """What goes wrong in a check is its finding, without its text: that may hold secrets."""
    try:
        return check(look)
    except SettingsError as error:
        return Finding(Level.FAIL, " ".join(error.faults), cure)
    except (SQLAlchemyError, RedisError, RequestException, OSError) as error:
        return Finding(Level.FAIL, f"does not answer ({type(error).__name__})", cure)
    finally:
        db.session.rollback()
