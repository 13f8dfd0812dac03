"""What the pages of tickets show and what their forms do."""

from typing import Any

from flask import make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain.access import Permission
from app.domain.support import about, finding, listing, owning, states, thread, tickets
from app.domain.support.about import About
from app.domain.support.events import Voice
from app.domain.support.listing import Standing, Wish
from app.domain.support.said import Said, Wanted
from app.forms.tickets import (
    CATEGORY_NAMES,
    PRIORITY_DETAILS,
    PRIORITY_NAMES,
    ListForm,
    NewTicketForm,
    ReplyForm,
    WritingForm,
)
from app.models import AuthorKind, Subject, Ticket, TicketCategory, TicketMessage, TicketPriority
from app.web import (
    access_pages,
    bundle_pages,
    exchange_pages,
    loading,
    ticket_help,
    ticket_words,
    uploads,
)
from app.web.guards import allowed
from app.web.hypermedia import STOP_POLLING, fragment

STANDINGS = (
    (Standing.ALL, "All"),
    (Standing.OPEN, "Open"),
    (Standing.WAITING, "Waiting for you"),
    (Standing.OVER, "Over"),
)


def voice() -> Voice:
    """The person of this request, at their browser."""
    return Voice(AuthorKind.USER, current.actor(), current.user().id)


def index() -> str:
    """The list that the address asks for."""
    wish, number = _wish(), loading.page_number()
    rows = listing.page(current.member(), wish, number)
    return render_template(
        "tickets/index.html",
        rows=rows[: listing.PAGE],
        more=len(rows) > listing.PAGE,
        count=listing.count(current.member(), wish),
        number=number,
        wish=wish,
        form=ListForm(formdata=request.args),
        tabs=[
            (text, _list_address(wish, show=it.value), it is wish.standing)
            for it, text in STANDINGS
        ],
        scopes=_scopes(wish),
        address=_list_address,
        labels=states.LABELS,
        tones=ticket_words.TONES,
        now=current.now(),
    )


def new_form() -> NewTicketForm:
    """For a new ticket; opened from something it knows what it is about."""
    form = NewTicketForm()
    if request.method == "GET":
        form.about.data, form.about_id.data = ticket_help.asked_about()
        form.follows.data = request.args.get("follows")
        for name, text in exchange_pages.meant().items():
            form[name].data = text
        thing, earlier = subject_of(form), followed(form)
        if thing is not None:
            form.category.data = thing.category
        elif earlier is not None:
            form.subject.data, form.category.data = earlier.subject, earlier.category
    form.renew()
    return form


def subject_of(form: NewTicketForm) -> About | None:
    """What the form was opened from, if the member may see it."""
    return about.find(current.member(), form.about.data, form.about_id.data)


def followed(form: NewTicketForm) -> Ticket | None:
    """The own earlier ticket that the new one follows."""
    found = finding.one(current.member(), form.follows.data or "")
    return found if found and finding.may_write(current.member(), found) else None


def new_page(form: NewTicketForm) -> ResponseReturnValue:
    """The form, as it was filled."""
    page = render_template(
        "tickets/new.html",
        form=form,
        details=PRIORITY_DETAILS,
        follows=followed(form),
        **ticket_help.of(subject_of(form), form),
    )
    return refused(form, page) if form.fault_list() else page


def open_one(form: NewTicketForm) -> Ticket:
    """Open what the form asks for, with the bundle that was agreed to."""
    thing = subject_of(form)
    bundle = bundle_pages.agreed(form, ticket_help.bot_of(thing))
    wanted = Wanted(
        subject=form.subject.data or "",
        category=TicketCategory(form.category.data),
        priority=TicketPriority(form.priority.data),
        about=thing.kind if thing else None,
        about_id=thing.id if thing else None,
        follows=followed(form),
    )
    said, now = said_in(form), current.now()
    wanted = ticket_help.with_facts(wanted, thing)
    ticket = tickets.open_ticket(
        current.workspace(), current.user(), wanted, said, voice=voice(), now=now
    )
    ticket_help.after_opening(ticket, thing, bundle)
    return ticket


def said_in(form: WritingForm) -> Said:
    """What was written, its files stored; the key is the person's own, whatever was sent."""
    form.renew()  # without a key of its own, each is another message
    kept = uploads.keep(form.files.data)
    key = f"web {current.user().id} {form.key.data}"
    return Said(form.body.data or "", key=key, files=kept)


def refused(form: WritingForm, page: str) -> ResponseReturnValue:
    """The page with the form's faults; nothing that was typed is lost."""
    response = make_response(page, form.status)
    if form.wait:
        response.headers["Retry-After"] = str(form.wait)
    return response


def show(ticket: Ticket, form: ReplyForm | None = None) -> ResponseReturnValue:
    """The whole page of a ticket."""
    writing = form or ReplyForm(formdata=None)
    writing.renew()
    page = render_template("tickets/show.html", form=writing, **context(ticket))
    return refused(writing, page) if writing.fault_list() else page


def thread_since(ticket: Ticket) -> ResponseReturnValue:
    """The part of the page that changes; says so aloud if Support has written something new."""
    seen = request.args.get("after", default=ticket.last_seq, type=int)
    fresh = [it for it in finding.messages(ticket, seen) if it.author is AuthorKind.OPERATOR]
    return fragment(
        "tickets/_thread.html",
        toast="Support has answered." if fresh else None,
        status=STOP_POLLING if ticket.over else 200,
        **context(ticket),
    )


def context(ticket: Ticket) -> dict[str, Any]:
    """What the thread shows."""
    me, now, entries = current.user().id, current.now(), thread.of(ticket)
    names = thread.people(entries)
    own = ticket.opened_by == me
    return {
        "ticket": ticket,
        "lines": [
            {
                "message": it.message,
                "who": ticket_words.author(it.message, me, names) if it.message else "",
                "channel": ticket_words.CHANNELS[it.message.channel] if it.message else "",
                "earlier": it.earlier,
                "editable": _editable(ticket, it.message, me),
                "event": it.event,
                "happened": ticket_words.told(it.event, me, names) if it.event else "",
            }
            for it in entries
        ],
        "own": own,
        "counted": False,
        "owner": names.get(ticket.opened_by or "", ""),
        "label": states.LABELS[ticket.state] if own else states.DESK_LABELS[ticket.state],
        "tone": ticket_words.TONES[ticket.state],
        "stands": ticket_words.STANDS[ticket.state] if own else "",
        "reopens": states.reopens(ticket, now),
        "priorities": PRIORITY_NAMES,
        "category": CATEGORY_NAMES[ticket.category],
        "about": _about(ticket),
        "goes_on": finding.one(current.member(), ticket.merged_into_id or ""),
        "follows": finding.one(current.member(), ticket.follows_id or ""),
        "followers": finding.followers(current.member(), ticket),
        "asked": access_pages.asked(ticket, member=True),
        "now": now,
    }


def _editable(ticket: Ticket, message: TicketMessage | None, me: str) -> bool:
    if message is None or ticket.opened_by != me:
        return False
    return not owning.why_not_edit(ticket, message, me, current.now())


def _about(ticket: Ticket) -> tuple[str, str] | None:
    """Name and address of what it was opened from, while the member may see that."""
    thing = about.find(current.member(), ticket.about, ticket.about_id)
    if thing is None:
        return None
    if thing.kind is Subject.BOT:
        return thing.name, url_for("bots.show", bot_id=thing.id)
    if thing.kind is Subject.STATEMENT:
        return thing.name, url_for("billing.show", month=thing.id)
    return thing.name, url_for("connections.show", connection_id=thing.id)


def _wish() -> Wish:
    try:
        standing = Standing(request.args.get("show", "all"))
    except ValueError:
        standing = Standing.ALL
    everybody = request.args.get("whose") == "all" and allowed(Permission.TICKET_VIEW_ALL)
    return Wish(standing, everybody, " ".join(request.args.get("text", "").split())[:100])


def _list_address(wish: Wish, **changed: Any) -> str:
    """The list as it is, but for what is named."""
    asked: dict[str, Any] = {
        "show": wish.standing.value if wish.standing is not Standing.ALL else None,
        "whose": "all" if wish.everybody else None,
        "text": wish.text or None,
    } | changed
    return url_for("tickets.index", **asked)


def _scopes(wish: Wish) -> list[tuple[str, str, bool]]:
    """Mine and everybody's, for whom may see those."""
    if not allowed(Permission.TICKET_VIEW_ALL) or current.workspace().personal:
        return []
    return [
        ("Mine", _list_address(wish, whose=None), not wish.everybody),
        ("Everybody's", _list_address(wish, whose="all"), wish.everybody),
    ]
