"""Sweeps of the models: looks at everything, conclusions, and deletions of what is nobody's."""

from sqlalchemy import select

from app.domain import deadlines, finds, sweeps
from app.domain.errors import Conflict, Refused
from app.extensions import db
from app.models import BotAddress, FindState, User
from tests.factories import TEMPO, TESTER
from tests.gateways.compute.gce_world import REGION
from tests.model import gce_checks


class Sweeper:
    """``since``: when each thing was first shown by a complete listing, by the cloud's clock;
    ``let_go``: when sweeps have decided on deletions, by the same."""

    def __init__(self, cloud, person_id):
        self.cloud, self._person_id = cloud, person_id
        self.worlds, self.since, self.let_go = [], {}, []

    @property
    def now(self):
        return self.worlds[0].now

    def finds(self):
        return gce_checks.standing_finds()

    def lost(self):
        query = select(BotAddress.name).where(BotAddress.lost_at.is_not(None))
        return set(db.session.scalars(query))

    # -- sweeps -------------------------------------------------------------------------------

    def look(self, holder="sweeper"):
        """Take the lead and list everything; nothing if another has the lead."""
        db.session.rollback()
        look = sweeps.begin(holder, self.now)
        db.session.commit()
        return (look, self.cloud.driver.survey((REGION,))) if look else None

    def conclude(self, seen):
        look, survey = seen
        before = {find.id: find.state for find in self.finds()}
        lost = self.lost()
        db.session.rollback()
        if survey.complete:
            self._note(survey)
        run = sweeps.conclude(look, survey, self.now)
        db.session.commit()
        gce_checks.concluded(self, run, before, lost)
        db.session.rollback()
        return run

    def _note(self, survey):
        kinds = {"machine": survey.machines, "address": survey.addresses, "disk": survey.disks}
        seen = {(kind, it.name) for kind, found in kinds.items() for it in found}
        self.since = {key: self.since.get(key, self.cloud.fake.now()) for key in seen}

    def sweep(self):
        seen = self.look()
        return self.conclude(seen) if seen else None

    def deadlines(self):
        db.session.rollback()
        deadlines.sweep(self.now, TEMPO)
        db.session.commit()

    # -- deletions ----------------------------------------------------------------------------

    def begin(self, find_id):
        """A worker takes a deletion one step further."""
        db.session.rollback()
        clearing = finds.begin(find_id, self.now)
        db.session.commit()
        if clearing is not None and not clearing.step.operation:
            gce_checks.may_be_cleared(self.worlds, clearing.step)
            db.session.rollback()
        return clearing

    def end(self, clearing, *fate):
        result = self.cloud.do(clearing.step, *fate)
        db.session.rollback()
        finds.finish(clearing, result, self.now)
        db.session.commit()

    def due(self):
        """Deletions that somebody should go on with; ids are random, so by name."""
        found = {find.id: find for find in self.finds()}
        return sorted(finds.due(self.now), key=lambda find_id: self._place(found[find_id]))

    def _place(self, find):
        bots = [world.bot_id.removeprefix("bot_") for world in self.worlds]
        _, bot, which = find.name.split("-")
        return find.kind.value, bots.index(bot) if bot in bots else len(bots), bot, which

    def clear(self):
        """All deletions that are due, a step each."""
        for find_id in self.due():
            clearing = self.begin(find_id)
            if clearing is not None:
                self.end(clearing)

    def people_decide(self):
        """What is held back, an operator looks at, and lets go."""
        held = [find for find in self.finds() if find.state is FindState.HELD]
        for find in held:
            person = db.session.get_one(User, self._person_id)
            try:
                finds.release(find, person, by=TESTER, now=self.now)
                db.session.commit()
            except (Conflict, Refused):
                db.session.rollback()
