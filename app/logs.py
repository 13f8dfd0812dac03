"""Log lines: text for people, JSON for machines. To stderr, where a supervisor collects them."""

import json
import logging
import re
import sys
from datetime import UTC, datetime

# Pages whose address holds a secret; the ids of rows (``inv_…``) are none.
_SECRET_IN_PATH = re.compile(
    r"((?:/|%2F)(?:invitations|verify|reset|email|email(?:/|%2F)undo)(?:/|%2F))(?!inv_)[\w-]{16,}",
    re.IGNORECASE,
)


def discreet(text: str) -> str:
    """A text without the tokens that some links carry, plain or within another address."""
    return _SECRET_IN_PATH.sub(r"\1[redacted]", text)


class Discreet(logging.Filter):
    """Takes such tokens out of every line; put on a logger it also serves others' handlers."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the line; none is dropped."""
        record.msg, record.args = discreet(record.getMessage()), ()
        if record.exc_info:
            record.exc_text = discreet(logging.Formatter().formatException(record.exc_info))
        return True


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Time in UTC, level, logger, message, and the traceback if there is one."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = record.exc_text or self.formatException(record.exc_info)
        return json.dumps(line)


def configure(log_format: str) -> None:
    """Send warnings and worse of everything, and what is new of ours, to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    text = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    handler.addFilter(Discreet())
    handler.setFormatter(JsonLines() if log_format == "json" else text)
    root = logging.getLogger()
    root.handlers = [other for other in root.handlers if not _ours(other)]
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger("app").setLevel(logging.INFO)


def _ours(handler: logging.Handler) -> bool:
    return type(handler) is logging.StreamHandler
