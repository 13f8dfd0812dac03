"""What this request is about: the time, the person, the workspace, the membership."""

import re
from datetime import UTC, datetime

from flask import current_app, g, has_request_context, request
from flask_login import current_user

from app.config import Config
from app.domain.audit import Actor
from app.domain.letters import House, Replies
from app.gateways import files
from app.gateways.files import Files
from app.gateways.locker import Locker
from app.gateways.vault import Sealer
from app.models import LoginSession, Membership, User, Workspace
from app.models.base import new_id

_ID = re.compile(r"[A-Za-z0-9_-]{1,40}")


def config() -> Config:
    """The settings of this process."""
    found: Config = current_app.extensions["plutarc"]
    return found


def house() -> House:
    """What letters say of this installation, and where they can be answered."""
    inbound = config().inbound
    replies = Replies(inbound.domain, inbound.key)
    return House(config().app_name, config().base_url, replies)


def sealer() -> Sealer:
    """What closes secrets; nothing in this process can open them again."""
    return Sealer(config().seal_public_key)


def locker() -> Locker:
    """What locks things for ourselves: typed forms, seeds of second factors."""
    return Locker((config().secret_key, *config().older_secret_keys))


def mail_locker() -> Locker:
    """What locks mail that came in; web closes and shows it, the worker opens it."""
    return Locker((config().inbound.key,))


def storage() -> Files:
    """Where files are kept."""
    return files.at(config().storage_url)


def now() -> datetime:
    """The moment this request began, UTC; the same for all that it does."""
    if not has_request_context():
        return datetime.now(UTC)
    if "now" not in g:
        g.now = datetime.now(UTC)
    moment: datetime = g.now
    return moment


def user() -> User:
    """The person signed in."""
    person: User = current_user._get_current_object()  # noqa: SLF001 -- the proxy's own door
    return person


def member() -> Membership:
    """The membership that the URL's workspace gave this request; set by the guards."""
    found: Membership = g.member
    return found


def workspace() -> Workspace:
    """The workspace named in the URL."""
    return member().workspace


def actor() -> Actor:
    """Who acts, for the audit log, and all that this request tells about where from."""
    found: LoginSession | None = g.get("login_session")
    asked = Actor(
        kind="anonymous",
        label="anonymous",
        ip=request.remote_addr,
        request_id=request_id(),
        session_id=found.id if found else None,
        method=found.method if found else "",
        user_agent=request.user_agent.string,
        source=_source(),
        route=request.url_rule.rule if request.url_rule else "",
    )
    return asked.as_person(user()) if current_user.is_authenticated else asked


def actor_for(person: User) -> Actor:
    """The same, for somebody who is only just signing in."""
    return actor().as_person(person)


def _source() -> str:
    """The door of this request: a browser's, a program's, or that of the runners."""
    view = current_app.view_functions.get(request.endpoint or "")
    guard = getattr(view, "guard", None)
    return {"api": "api", "runner": "gate"}.get(str(guard), "web")


def keep() -> None:
    """Commit what this request wrote although its answer is a refusal (a denied attempt)."""
    g.keep = True


def refuse(reason: str) -> None:
    """Note that a rule forbade what was asked; the log keeps it, whatever the answer looks like."""
    g.refused = reason


def named() -> str | None:
    """What of the workspace the address names, for the log of what was denied there."""
    values = [str(it) for name, it in (request.view_args or {}).items() if name != "workspace"]
    return values[-1] if values and _ID.fullmatch(values[-1]) else None


def request_id() -> str:
    """The random name of this request, shown on error pages and kept in the audit log."""
    if "request_id" not in g:
        g.request_id = new_id("req")
    found: str = g.request_id
    return found
