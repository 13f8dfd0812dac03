"""Members: another role, and to whom the ownership is offered."""

from wtforms import RadioField, SelectField

from app.domain import access, members
from app.domain.access import Permission
from app.forms.base import Form, offered
from app.models import Membership, Role

DETAILS = {
    Role.OWNER: "Everything, deleting it and billing included.",
    Role.ADMIN: "Settings, members, live keys and the audit log.",
    Role.MANAGER: "Goes live, raises limits, deletes bots, invites below the own role.",
    Role.TRADER: "Builds strategies, runs bots, closes positions. No live step.",
    Role.VIEWER: "Sees bots, positions and results, and changes nothing.",
}


class RoleForm(Form):
    """The role of one member; what is out of reach says why."""

    role = RadioField(
        "Role", choices=offered((role.value, role.value.title()) for role in reversed(Role))
    )

    @staticmethod
    def barred(acting: Membership, member: Membership) -> dict[str, str]:
        """Roles that ``acting`` cannot give this member."""
        if not members.may(acting, Permission.MEMBER_CHANGE_ROLE, member):
            return {role.value: "" for role in Role}
        refused = [role for role in Role if not access.may_hand_out(acting, role)]
        return {role.value: "Not below your own role." for role in refused}


class OfferForm(Form):
    """To whom."""

    member = SelectField("Hand it to")
