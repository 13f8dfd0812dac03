"""The demo's support desk: tickets as they look in daily life, and an incident of last week."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.domain.audit import COMMAND_LINE
from app.domain.status import components, incidents
from app.domain.status.incidents import Report
from app.domain.support import moves, notes, tickets
from app.domain.support.events import Voice
from app.domain.support.said import Said, Wanted
from app.models import (
    AuthorKind,
    Bot,
    Condition,
    IncidentState,
    Subject,
    Ticket,
    TicketCategory,
    User,
    Workspace,
)


@dataclass(frozen=True)
class Desk:
    """Who asks, who answers, and where."""

    workspace: Workspace
    user: User
    operator: User
    now: datetime

    def furnish(self, bot: Bot) -> None:
        """All of it; ``bot`` is what one of the tickets is about."""
        self._waits_for_the_desk(bot)
        self._waits_for_its_owner()
        self._solved()
        self._incident()

    def _waits_for_the_desk(self, bot: Bot) -> None:
        wanted = Wanted(
            "Why did it not trade over lunch?",
            TicketCategory.BOT,
            about=Subject.BOT,
            about_id=bot.id,
        )
        said = "Three candles looked like an entry to me, but the log says that nothing was done."
        ticket = self._open(wanted, said, hours=2)
        text = "The cooldown of its strategy was still running. Ask what they expected of it."
        notes.add(ticket, text, voice=self._desk, now=self.now - timedelta(hours=1))

    def _waits_for_its_owner(self) -> None:
        wanted = Wanted("Can Vera see the keys?", TicketCategory.ACCOUNT)
        ticket = self._open(wanted, "She is a viewer. What exactly does she see?", hours=26)
        said = (
            "No: nobody sees a key again after it was saved, only its last four characters. "
            "A viewer sees bots and their results. Does that answer it?"
        )
        tickets.post(ticket, Said(said), voice=self._desk, now=self.now - timedelta(hours=24))

    def _solved(self) -> None:
        wanted = Wanted("How do I leave an organisation?", TicketCategory.OTHER)
        ticket = self._open(wanted, "I only find how to remove others.", hours=74)
        said = "Members, then the last line of the page: Leave. Your bots stay with the workspace."
        tickets.post(ticket, Said(said), voice=self._desk, now=self.now - timedelta(hours=73))
        moves.resolve(ticket, voice=self._owner, now=self.now - timedelta(hours=72))

    def _incident(self) -> None:
        began = self.now - timedelta(days=6, hours=3)
        report = Report(
            "Letters arrived late",
            Condition.DEGRADED,
            [components.MAIL],
            "Letters take up to half an hour. Nothing is lost; links in them stay good.",
            began,
        )
        operator, by = self.operator, COMMAND_LINE.as_person(self.operator)
        found = began + timedelta(minutes=10)
        made = incidents.begin(report, operator=operator, by=by, now=found)
        told = (
            (25, IncidentState.IDENTIFIED, "The mail server took one letter at a time."),
            (48, IncidentState.RESOLVED, "It takes them side by side again; all are delivered."),
        )
        for minutes, state, body in told:
            at = began + timedelta(minutes=minutes)
            incidents.tell(made, body, state=state, answers=False, operator=operator, by=by, now=at)

    def _open(self, wanted: Wanted, said: str, *, hours: int) -> Ticket:
        at = self.now - timedelta(hours=hours)
        asked = Said(said)
        return tickets.open_ticket(
            self.workspace, self.user, wanted, asked, voice=self._owner, now=at
        )

    @property
    def _owner(self) -> Voice:
        by = COMMAND_LINE.as_person(self.user)
        return Voice(AuthorKind.USER, by, self.user.id)

    @property
    def _desk(self) -> Voice:
        by = COMMAND_LINE.as_person(self.operator)
        return Voice(AuthorKind.OPERATOR, by, self.operator.id)
