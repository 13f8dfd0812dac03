"""Members: who is here, in which role; changing that, and leaving."""

from flask import Blueprint, abort, render_template, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain import access, members, offers
from app.domain.access import Permission
from app.domain.members import Entry
from app.forms.base import Form
from app.forms.members import DETAILS, RoleForm
from app.models import Membership, Role
from app.web import guards
from app.web.guards import member, requires
from app.web.hypermedia import redirect_to

bp = Blueprint("members", __name__, url_prefix="/w/<workspace>")
OUT_OF_REACH = "a role not below the own one"


@bp.get("/members")
@requires(Permission.MEMBER_VIEW)
def index() -> ResponseReturnValue:
    """All of them."""
    me, now = current.member(), current.now()
    waiting = offers.visible(me, now)
    listed = members.listing(me)
    return render_template("members/index.html", entries=listed, offers=waiting, me=me, now=now)


@bp.get("/members/<member_id>")
@requires(Permission.MEMBER_VIEW)
def show(member_id: str) -> ResponseReturnValue:
    """One of them, and what may be done."""
    entry = _entry(member_id)
    return _page(entry, RoleForm(data={"role": entry.member.role.value}))


@bp.post("/members/<member_id>/role")
@requires(Permission.MEMBER_CHANGE_ROLE)
def change_role(member_id: str) -> ResponseReturnValue:
    """Give another role."""
    entry, form = _entry(member_id), RoleForm()
    _demand_reach(Permission.MEMBER_CHANGE_ROLE, entry.member)
    if not form.accepts(lambda: _change_role(entry.member, Role(form.role.data))):
        return _page(entry, form), 422
    toast = f"{entry.name} is {entry.member.role} now."
    return redirect_to(url_for(".index"), toast=toast)


@bp.post("/members/<member_id>/suspend")
@requires(Permission.MEMBER_REMOVE)
def suspend(member_id: str) -> ResponseReturnValue:
    """Shut out."""
    entry = _within_reach(member_id)
    members.suspend(entry.member, acting=current.member(), by=current.actor(), now=current.now())
    toast = f"{entry.name} is suspended and sees nothing here any more."
    return redirect_to(url_for(".show", member_id=member_id), toast=toast)


@bp.post("/members/<member_id>/restore")
@requires(Permission.MEMBER_REMOVE)
def restore(member_id: str) -> ResponseReturnValue:
    """Let in again."""
    entry = _within_reach(member_id)
    home = url_for("dashboard.show")
    me, by, now = current.member(), current.actor(), current.now()
    members.restore(entry.member, acting=me, by=by, now=now, page=home)
    toast = f"{entry.name} is back."
    return redirect_to(url_for(".show", member_id=member_id), toast=toast)


@bp.post("/members/<member_id>/remove")
@requires(Permission.MEMBER_REMOVE)
def remove(member_id: str) -> ResponseReturnValue:
    """Take out."""
    entry = _within_reach(member_id)
    members.remove(entry.member, acting=current.member(), by=current.actor(), now=current.now())
    toast = f"{entry.name} is no member any more. Bots keep running."
    return redirect_to(url_for(".index"), toast=toast)


@bp.get("/leave")
@member
def leave() -> ResponseReturnValue:
    """What leaving means."""
    return _leaving(Form())


@bp.post("/leave")
@member
def go() -> ResponseReturnValue:
    """Leave; the personal workspace opens."""
    me, form, page = current.member(), Form(), url_for(".index")
    name = me.workspace.name
    gone = form.accepts(lambda: members.leave(me, by=current.actor(), now=current.now(), page=page))
    if not gone:
        return _leaving(form), 422
    return redirect_to(url_for("home.index"), toast=f"You have left {name}.")


def _entry(member_id: str) -> Entry:
    return members.find(current.member(), member_id) or abort(404)


def _within_reach(member_id: str) -> Entry:
    entry = _entry(member_id)
    _demand_reach(Permission.MEMBER_REMOVE, entry.member)
    return entry


def _demand_reach(permission: Permission, found: Membership) -> None:
    guards.insist(members.may(current.member(), permission, found), OUT_OF_REACH)


def _change_role(found: Membership, role: Role) -> None:
    guards.insist(access.may_hand_out(current.member(), role), OUT_OF_REACH)
    members.change_role(
        found,
        role,
        acting=current.member(),
        by=current.actor(),
        now=current.now(),
        page=url_for("dashboard.show"),
    )


def _page(entry: Entry, form: RoleForm) -> str:
    me = current.member()
    return render_template(
        "members/show.html",
        entry=entry,
        form=form,
        me=me,
        details=DETAILS,
        barred=form.barred(me, entry.member),
        changes=bool(members.may(me, Permission.MEMBER_CHANGE_ROLE, entry.member)),
        removes=bool(members.may(me, Permission.MEMBER_REMOVE, entry.member)),
        now=current.now(),
    )


def _leaving(form: Form) -> str:
    return render_template("members/leave.html", form=form, workspace=current.workspace())
