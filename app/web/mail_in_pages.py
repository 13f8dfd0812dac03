"""What the pages about mail that came in show."""

from flask import Response, abort, make_response, render_template, request, url_for

from app import current
from app.domain.inbound import book, originals, quarantine
from app.domain.inbound.originals import Original
from app.models import InboundMail, MailDecision, TicketMessage
from app.web import loading, mail_html

TONES = {
    MailDecision.WAITING: "info",
    MailDecision.APPENDED: "good",
    MailDecision.NOTE: "good",
    MailDecision.OPENED: "good",
    MailDecision.QUARANTINED: "warn",
    MailDecision.LOOP: "warn",
    MailDecision.BOUNCE: "warn",
    MailDecision.ERROR: "bad",
}
"""How a decision looks; those not named need nobody's attention."""


def index() -> str:
    """The book, newest first, of one decision or of all."""
    wanted = request.args.get("decision", "")
    decision = next((it for it in MailDecision if it == wanted), None)
    number = loading.page_number()
    mails = book.recent(decision, number)
    return render_template(
        "console/mail_in.html",
        mails=mails[: book.PAGE],
        more=len(mails) > book.PAGE,
        number=number,
        decision=decision,
        tabs=_tabs(decision),
        tones=TONES,
        inbound=current.config().inbound,
        now=current.now(),
    )


def one(mail: InboundMail) -> str:
    """One mail: what was looked at, what was decided, and why."""
    return render_template(
        "console/mail_in_one.html",
        mail=mail,
        original=originals.read(mail, current.mail_locker()),
        ticket=book.ticket_of(mail),
        holder=book.holder(mail),
        problem=quarantine.appendable(mail),
        decisions=MailDecision,
        tones=TONES,
    )


def source(mail: InboundMail) -> str:
    """The mail as it came, as text."""
    return render_template("console/mail_in_source.html", mail=mail, original=_read(mail))


def of_message(message: TicketMessage) -> str:
    """The mail that a message was made of, for whoever sees the message."""
    return render_template(
        "tickets/original.html", message=message, original=_read(mail_of(message))
    )


def html(mail: InboundMail) -> Response:
    """The HTML of a mail, made harmless, as a page of no site."""
    body = mail_html.clean(_read(mail).html)
    response = make_response(f"<!doctype html><meta charset=utf-8><title>Mail</title>{body}")
    response.headers.update(mail_html.HEADERS)
    return response


def mail_of(message: TicketMessage) -> InboundMail:
    """The mail that a message was made of, or 404."""
    return originals.of_message(message) or abort(404)


def _read(mail: InboundMail) -> Original:
    found = originals.read(mail, current.mail_locker())
    return found or abort(404, "Mails are kept for thirty days; this one is gone.")


def _tabs(decision: MailDecision | None) -> list[tuple[str, str, bool]]:
    counts = book.counts()
    each = [
        (
            f"{it.capitalize()} {counts.get(it, 0)}",
            url_for("console_mail_in.index", decision=it),
            it is decision,
        )
        for it in MailDecision
        if it in counts or it in (decision, MailDecision.QUARANTINED)
    ]
    return [("All", url_for("console_mail_in.index"), decision is None), *each]
