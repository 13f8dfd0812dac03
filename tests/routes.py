"""Every route with an address that leads somewhere, made from the URL map and a few samples."""

import re
from dataclasses import dataclass
from datetime import timedelta

from app.extensions import db
from app.web import freshness, guards
from tests.people import ACTORS

KINDS = frozenset({"public", "signed_in", "member", "operator", "runner", "webhook", "api"})


def nothing_there_but_for(*names):
    """What is one person's own does not exist for the others."""
    return {actor.name: "nothing there" for actor in ACTORS if actor.name not in names}


SAMPLES = {
    "bot_id": lambda place: place.resting,
    "workspace_id": lambda place: place.workspace,
    "strategy_id": lambda place: place.strategy,
    "trade_id": lambda place: place.trade,
    "backtest_id": lambda place: place.backtest,
    "dry_run_id": lambda place: place.dry_run,
    "contact_id": lambda place: place.contact,
    "month": lambda place: place.month,
    "number": lambda place: place.number,
    "year": lambda place: int(place.month[:4]),
    "run_id": lambda place: place.certification_run,
    "certification_id": lambda place: place.certification,
    "tester_id": lambda place: place.tester,
    "exchange": lambda _: "bybit",
    "connection_id": lambda place: place.spare,
    "invitation_id": lambda place: place.invitation,
    "approval_id": lambda place: place.approval,
    "offer_id": lambda place: place.offer,
    "member_id": lambda place: place.member,
    "token": lambda place: place.token,
    "notice_id": lambda place: place.notice,
    "mail_id": lambda place: place.letter,
    "call_id": lambda place: place.call,
    "event_id": lambda place: place.event,
    "ticket_id": lambda place: place.ticket,
    "bundle_id": lambda place: place.bundle,
    "access_id": lambda place: place.look,
    "message_id": lambda place: place.message,
    "file_id": lambda place: place.file,
    "inbound_id": lambda place: place.inbound,
    "incident_id": lambda place: place.incident,
    "note_id": lambda place: place.note,
    "note_file_id": lambda place: place.note_file,
    "reply_id": lambda place: place.reply,
    "machine_id": lambda place: place.machine,
    "region": lambda _: "local",
    "alarm_id": lambda place: place.alarm,
    "bot_alarm_id": lambda place: place.bot_alarm,
    "kill_id": lambda place: place.kill,
    "hold_id": lambda place: place.hold,
    "find_id": lambda place: place.find,
    "upgrade_id": lambda place: place.upgrade,
    "banner_id": lambda place: place.banner,
    "key": lambda _: "ema_trend",
    "tab": lambda _: "overview",
    "filename": lambda _: "css/base.css",
}
"""What fills a hole in a rule, from a furnished workspace."""

AWAY = frozenset({"invited.switch"})
"""They end the session and lead to the sign-in page."""

FORMS = {
    "account.switch": lambda _, home: {"workspace": home},
}
"""What a POST needs to be let in at all; others are sent empty and refused by their forms."""

GIVER = dict.fromkeys(("owner", "owner of a suspended workspace"), "refused")
APPROVER = dict.fromkeys(("viewer", "trader"), "forbidden")
APPROVER |= {"owner of a suspended workspace": "workspace suspended"}
LOOKS = ("index", "bot", "orders", "decisions", "machines")
"""Pages under an access that was not granted."""
HIDDEN = dict.fromkeys(("viewer", "manager"), "nothing there")
"""Another one's ticket, to whom may not see all of them."""
ONLY_READ = HIDDEN | dict.fromkeys(("owner", "admin", "owner of a suspended workspace"), "refused")
TICKETS = {
    "tickets.show": HIDDEN,
    "tickets.thread": HIDDEN,
    "tickets.file": HIDDEN,
    "ticket_originals.show": HIDDEN,
    "ticket_originals.layout": HIDDEN,
    "ticket_moves.see": HIDDEN,
    "ticket_moves.reply": ONLY_READ,
    "ticket_moves.edit": ONLY_READ,
    "ticket_moves.update": ONLY_READ,
    "ticket_moves.solve": ONLY_READ,
    "ticket_moves.need_help": ONLY_READ,
    "ticket_moves.reopen": ONLY_READ,
    "ticket_bundles.index": HIDDEN,
    "ticket_bundles.show": HIDDEN,
    "ticket_bundles.attach": ONLY_READ,
    "ticket_bundles.withdraw": ONLY_READ,
    "ticket_access.index": HIDDEN,
    "ticket_access.grant": HIDDEN,
    "ticket_access.refuse": HIDDEN,
    "ticket_access.end": HIDDEN,
    **{f"look.{it}": nothing_there_but_for() for it in LOOKS},
    "console_help.end": nothing_there_but_for(),
}
"""The ticket is the trader's."""

FINER = TICKETS | {
    "console_notes.ask_edit": {"operator": "nothing there"},
    "inbox.follow": nothing_there_but_for("owner", "owner of a suspended workspace"),
    "member_ownership.accept": nothing_there_but_for("admin") | GIVER,
    "member_ownership.decline": nothing_there_but_for("admin") | GIVER,
    "member_ownership.cancel": nothing_there_but_for(*GIVER) | {"admin": "refused"},
    "member_ownership.offer": {"admin": "refused"},
    "approvals.approve": APPROVER,
    "approvals.reject": APPROVER,
}
"""Where the verb decides more than the guard says: what it answers, by actor."""


@dataclass(frozen=True)
class Knock:
    """One method of one route at one address."""

    endpoint: str
    guard: str
    method: str
    address: str

    def __str__(self):
        return f"{self.method} {self.address} ({self.guard})"


def holes(rule):
    """The arguments of a rule but the workspace."""
    return sorted(rule.arguments - {"workspace"})


def knocks(app, place, **own):
    """Every method of every route of ``app``, filled from ``place``; ``own`` overrides samples."""
    with app.test_request_context():
        return [knock for rule in app.url_map.iter_rules() for knock in _of(app, rule, place, own)]


def _of(app, rule, place, own):
    guard = guards.guard_of(app, rule.endpoint) or "public"
    values = {"workspace": place.workspace}
    for name in holes(rule):
        assert name in own or name in SAMPLES, (
            f"{rule.rule} is new: put a sample of {name} into tests/routes.py"
        )
        values[name] = own[name] if name in own else SAMPLES[name](place)
    address = rule.build(values, append_unknown=False)[1]
    for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
        yield Knock(rule.endpoint, guard, method, address)


class Visitor:
    """A browser that forgets after each request what the answer did to its cookie."""

    def __init__(self, app, token=None):
        self.app, self.client = app, app.test_client()
        self.name = app.config["SESSION_COOKIE_NAME"]
        if token is not None:
            with self.client.session_transaction() as session:
                session["login_token"] = token
        page = self.client.get("/account" if token else "/login").get_data(as_text=True)
        (self.form_token, *_) = re.findall(r'name="csrf_token" value="([^"]+)"', page)
        self.cookie = self.client.get_cookie(self.name).value

    def knock(self, knock, fields=None, *, fragment=False):
        """Ask, as a browser or as htmx."""
        headers = {"HX-Request": "true"} if fragment else {}
        self.client.set_cookie(self.name, self.cookie)
        fields = {"csrf_token": self.form_token} | (fields or {}) if knock.method != "GET" else None
        # Read to the end: a streamed answer keeps its request open for as long as it is not.
        return self.client.open(
            knock.address, method=knock.method, data=fields, headers=headers, buffered=True
        )


def keep_nothing(monkeypatch):
    """Let every request succeed and leave no trace: what it commits is rolled back.

    Who signed in at the beginning counts as there until the end, however long that takes.
    """
    monkeypatch.setattr(db.session, "commit", db.session.rollback)
    monkeypatch.setattr(freshness, "FRESH_FOR", timedelta(days=1))
