"""Who changed what, when: the log, one event, everything around a moment, proof, and exports."""

from flask import Blueprint, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain import audit_check, audit_export, audit_log, audit_moment, checkpoints
from app.domain.access import Permission
from app.forms.audit import AuditFilterForm
from app.web import audit_pages, loading
from app.web.guards import requires
from app.web.hypermedia import redirect_to

bp = Blueprint("audit_log", __name__, url_prefix="/w/<workspace>/audit")


@bp.get("")
@requires(Permission.AUDIT_VIEW)
def index() -> ResponseReturnValue:
    """Events, newest first, filtered by the address and paged."""
    audit_pages.note_view()
    form = AuditFilterForm(current.workspace().zone, formdata=request.args)
    if not form.validate():
        return render_template("audit/index.html", **audit_pages.nothing(form)), 422
    return render_template("audit/index.html", **audit_pages.listed(form))


@bp.get("/events/<event_id>")
@requires(Permission.AUDIT_VIEW)
def show(event_id: str) -> ResponseReturnValue:
    """One event with all that it says."""
    audit_pages.note_view()
    event = audit_log.find(current.workspace(), event_id) or abort(404)
    return render_template("audit/show.html", event=event, **audit_pages.place())


@bp.get("/moment")
@requires(Permission.AUDIT_VIEW)
def moment() -> ResponseReturnValue:
    """Everything that happened around one moment, of one bot or of all."""
    audit_pages.note_view()
    at, minutes = audit_pages.asked_moment()
    bot = loading.bot(request.args["bot"]) if request.args.get("bot") else None
    found = audit_moment.around(current.workspace(), at, minutes, bot)
    context = audit_pages.around(found, minutes, bot)
    return render_template("audit/moment.html", **context)


@bp.get("/verify")
@requires(Permission.AUDIT_VIEW)
def verify() -> ResponseReturnValue:
    """Follow the chain to its end and compare it with what was signed."""
    audit_pages.note_view()
    keys, whole = current.config().signing_public_keys, request.args.get("whole") == "yes"
    verdict = audit_check.verify(current.workspace().id, keys, whole=whole)
    return render_template("audit/verify.html", **audit_pages.proof(verdict, keys))


@bp.post("/checkpoints")
@requires(Permission.AUDIT_EXPORT)
def checkpoint() -> ResponseReturnValue:
    """Have the end of the chain signed now."""
    checkpoints.ask_for(current.workspace(), by=current.actor(), now=current.now())
    toast = "A checkpoint is being signed; it is here in a moment."
    return redirect_to(url_for(".verify"), toast=toast)


@bp.get("/checkpoints.jsonl")
@requires(Permission.AUDIT_VIEW)
def download() -> ResponseReturnValue:
    """All signed checkpoints, to be kept elsewhere."""
    workspace = current.workspace()
    body = "".join(item.line() for item in checkpoints.of_chain(workspace.id))
    return audit_pages.attachment([body], f"checkpoints-{workspace.slug}.jsonl", "jsonl")


@bp.post("/export")
@requires(Permission.AUDIT_EXPORT)
def export() -> ResponseReturnValue:
    """Exactly what is filtered, as a file; that it was taken out becomes an event."""
    form = AuditFilterForm(current.workspace().zone, formdata=request.form)
    kind = request.form.get("format", "jsonl")
    if not form.validate() or kind not in audit_export.FORMATS:
        return render_template("audit/index.html", **audit_pages.nothing(form)), 422
    wanted = form.wanted(current.now())
    made = audit_export.of_workspace(current.workspace().id, current.now(), wanted)
    audit_export.record(made, by=current.actor(), now=current.now(), form=kind)
    return audit_pages.streamed(made, kind)
