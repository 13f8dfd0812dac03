"""The checks of mail: whether letters get out, and whether mail gets in."""

from datetime import timedelta

from app.cli.base import reading
from app.cli.finding import Finding, Look, fail, ok, warn
from app.domain import mail_console
from app.domain.inbound import book
from app.gateways.smtp import SmtpPostman

_SECONDS = 5.0
_WAITING = timedelta(minutes=10)
_RECENT = timedelta(days=1)


def mail_in(look: Look) -> Finding:
    """Which doors for mail are open, and whether what came in is looked at."""
    inbound = look.config.inbound
    if not inbound.open:
        return warn(
            "closed: tickets are answered on their pages", "set INBOUND_MAIL_DOMAIN and its key"
        )
    reading()
    late = book.waiting_since(look.now - _WAITING)
    if late:
        return warn(f"{late} mails wait to be looked at", "start python -m app.jobs.worker desk")
    doors = {"raw": True, "postmark": inbound.postmark_auth, "mailgun": inbound.mailgun_key}
    last = book.last_at()
    said = f"doors open: {', '.join(name for name, is_open in doors.items() if is_open)}"
    said += f"; last mail {last:%Y-%m-%d %H:%M} UTC" if last else "; no mail came yet"
    if doors == {"raw": True, "postmark": "", "mailgun": ""} and not inbound.authserv_id:
        return warn(f"{said}; no sender can be proven", "set MAIL_AUTHSERV_ID")
    return ok(said)


def mail(look: Look) -> Finding:
    """Whether one can sign in at the server, and whether any letter is stuck."""
    server, console = look.config.mail_server, f"{look.config.base_url}/operator/mail"
    if server is None:
        return warn(f"not set: letters wait at {console}", "set SMTP_URL and MAIL_FROM")
    postman = SmtpPostman(server, look.config.mail_from, look.config.app_name, seconds=_SECONDS)
    problem = postman.probe()
    if problem:
        return fail(problem, "set SMTP_URL, or mend the server")
    reading()
    late = mail_console.waiting_since(look.now - _WAITING)
    if late:
        return warn(
            f"{late} letters wait for their first try", "start python -m app.jobs.worker mail"
        )
    lost = mail_console.failed_since(look.now - _RECENT)
    if lost:
        return warn(f"{lost} letters of the last day failed", f"{console} says why")
    return ok(f"{server.host}:{server.port} takes letters from {look.config.mail_from}")
