"""Rows named in a URL, through the workspace of the request: strangers' rows do not exist."""

from flask import abort, request

from app import current, tenancy
from app.domain import (
    backtests,
    bots,
    connections,
    dry_runs,
    invitation_book,
    invited,
    strategies,
)
from app.domain.certification import runs
from app.domain.support import finding
from app.domain.trades import notes
from app.models import (
    Backtest,
    Bot,
    CertificationRun,
    Connection,
    DryRun,
    Invitation,
    InvitationLink,
    MessageFile,
    Strategy,
    StrategyVersion,
    Ticket,
    TicketMessage,
    TradeRow,
)
from app.web import guards
from runner.strategy import TEMPLATES, Template

LAST_PAGE = 100_000  # an offset beyond what the database can count is no page


def bot(bot_id: str) -> Bot:
    """A bot of this workspace, or 404."""
    return bots.find(current.workspace(), bot_id) or abort(404)


def strategy(strategy_id: str) -> Strategy:
    """A strategy of this workspace, or 404."""
    return strategies.find(current.workspace(), strategy_id) or abort(404)


def template(key: str) -> Template:
    """A template of the library, or 404."""
    return next((item for item in TEMPLATES if item.key == key), None) or abort(404)


def version(strategy_id: str, number: int) -> StrategyVersion:
    """One version of a strategy of this workspace, or 404."""
    found = strategy(strategy_id)
    return next((item for item in found.versions if item.number == number), None) or abort(404)


def trade(trade_id: str) -> TradeRow:
    """A trade of this workspace, or 404."""
    return notes.find(current.workspace(), trade_id) or abort(404)


def backtest(backtest_id: str) -> Backtest:
    """A backtest of this workspace, or 404."""
    return backtests.find(current.workspace(), backtest_id) or abort(404)


def dry_run(dry_run_id: str) -> DryRun:
    """A dry run of this workspace, or 404."""
    return dry_runs.find(current.workspace(), dry_run_id) or abort(404)


def certification(run_id: str) -> CertificationRun:
    """A certification made in this workspace, or 404."""
    return runs.find(current.workspace(), run_id) or abort(404)


def connection(connection_id: str) -> Connection:
    """A connection of this workspace, or 404."""
    return connections.find(current.workspace(), connection_id) or abort(404)


def ticket(ticket_id: str) -> Ticket:
    """A ticket that the member may see, or 404: another member's is as one that never was."""
    return finding.one(current.member(), ticket_id) or abort(404)


def own_ticket(ticket_id: str) -> Ticket:
    """The same, for what only its owner does; who may only read it is told so."""
    found = ticket(ticket_id)
    guards.insist(finding.may_write(current.member(), found), "writes in another one's ticket")
    return found


def message(ticket_id: str, message_id: str) -> TicketMessage:
    """A message of a ticket that the member may see, or 404."""
    return finding.message(ticket(ticket_id), message_id) or abort(404)


def ticket_file(ticket_id: str, file_id: str) -> MessageFile:
    """A file of such a ticket, or 404."""
    return finding.file(ticket(ticket_id), file_id) or abort(404)


def page_number() -> int:
    """The page of a long list that the address asks for; what is none is the first."""
    number = request.args.get("page", default=1, type=int)
    return number if 1 <= number <= LAST_PAGE else 1


def invitation(invitation_id: str) -> Invitation:
    """An invitation of this workspace, or 404."""
    return invitation_book.find(current.workspace(), invitation_id) or abort(404)


def invitation_link(token: str) -> InvitationLink:
    """The link of a token, or 404. It opens the one workspace it leads to, and no other."""
    tenancy.enter(invited.workspace_of(token) or abort(404))
    return invited.find(token) or abort(404)
