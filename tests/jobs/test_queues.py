"""Hints through a real Redis-compatible server: sent, worked, lost, doubled."""

import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pkgutil import resolve_name

import pytest
from rq.registry import FailedJobRegistry
from sqlalchemy import select, update

from app import current
from app.domain import bots, fleet, invitations, leadership, outbox, ownership, workspaces
from app.domain.audit_chain import GENESIS
from app.domain.support import files
from app.extensions import db
from app.jobs import effect, queues
from app.jobs.queues import QueueName
from app.jobs.ticker import Ticker
from app.models import AuditHead, BotCompute, InvitationState, OfferState, OutboxMessage, Role
from tests import factories
from tests.factories import NOW, TESTER
from tests.waiting import PATIENCE


@pytest.fixture
def redis(redis_url):
    return queues.connect(redis_url)


@pytest.fixture
def ticker(app, redis):
    return Ticker(redis, "first")


def queued(redis):
    return queues.open_queue(QueueName.FLEET, redis).jobs


def bot():
    made = factories.bot(factories.organisation())
    db.session.commit()
    return made


def test_every_job_runs_inside_the_application():
    bare = [name for name in queues.JOBS.values() if not hasattr(resolve_name(name), "__wrapped__")]
    assert not bare


def test_a_due_bot_is_hinted_once_and_again_if_nobody_came(ticker, redis):
    made = bot()
    assert ticker.tick(NOW) == 1
    assert ticker.tick(NOW + timedelta(seconds=1)) == 0
    assert ticker.tick(NOW + timedelta(seconds=6)) == 1
    assert [job.kwargs for job in queued(redis)] == [{"bot_ids": made.id}] * 2


def some_bots(count):
    workspace = factories.organisation()
    version = factories.strategy(workspace).latest
    made = [factories.bot(workspace, version=version).id for _ in range(count)]
    db.session.commit()
    return made


@pytest.mark.parametrize(("count", "jobs"), [(1, 1), (2, 2), (3, 2), (17, 3)])
def test_few_bots_have_a_job_each_and_many_share_one(ticker, redis, count, jobs):
    made = some_bots(count)
    assert ticker.tick(NOW) == count
    groups = [job.kwargs["bot_ids"].split() for job in queued(redis)]
    assert len(groups) == jobs
    assert sorted(bot_id for group in groups for bot_id in group) == sorted(made)
    assert max(map(len, groups)) <= 8


def seen(monkeypatch, step):
    """Ids that steps were taken of, each by ``step``."""
    ids = []
    monkeypatch.setattr(
        effect, "advance", lambda bot_id, _driver=None: ids.append(bot_id) or step(bot_id)
    )
    return ids


def test_a_step_that_fails_keeps_no_other_bot_of_its_job_waiting(app, monkeypatch):
    def fail(bot_id):
        raise RuntimeError(bot_id)

    ids = seen(monkeypatch, fail)
    with pytest.raises(ExceptionGroup) as told:
        effect.advance_each(["bot_a", "bot_b"])
    assert ids == ["bot_a", "bot_b"]
    assert [str(error) for error in told.value.exceptions] == ids


def test_steps_that_are_due_at_once_are_taken_in_one_job_but_not_without_end(app, monkeypatch):
    one, two = some_bots(2)
    later = update(BotCompute).where(BotCompute.bot_id == two)
    db.session.execute(later.values(due_at=datetime.now(UTC) + timedelta(hours=1)))
    db.session.commit()
    ids = seen(monkeypatch, lambda _: True)
    effect.advance_each([one, two])
    assert ids == [one, one, one, two]


def test_what_a_slow_job_does_not_come_to_is_due_again_at_once(app, redis, monkeypatch):
    one, two, three = made = some_bots(3)
    now = datetime.now(UTC)
    fleet.hinted(made, now)
    far = now + timedelta(hours=1)
    other = update(BotCompute).where(BotCompute.bot_id == three)
    db.session.execute(other.values(due_at=far))
    db.session.commit()
    monkeypatch.setattr(effect, "_SHARED_FOR", -1.0)
    ids = seen(monkeypatch, lambda _: False)
    effect.advance_each(made)
    assert ids == [one]
    assert fleet.due(datetime.now(UTC)) == [two]
    assert db.session.get_one(BotCompute, three).due_at == far


def test_a_change_is_hinted_at_once(ticker, redis):
    made = bot()
    ticker.tick(NOW)
    bots.start(made, by=TESTER, now=NOW + timedelta(seconds=1))
    db.session.commit()
    assert ticker.tick(NOW + timedelta(seconds=1)) == 1


def test_the_outbox_is_handed_over_after_its_moment(ticker, redis):
    later = NOW + timedelta(seconds=40)
    outbox.put("fleet", "advance_bot", now=NOW, not_before=later, bot_id="bot_x")
    db.session.commit()
    assert ticker.tick(NOW) == 0
    assert ticker.tick(later) == 1
    assert db.session.scalar(select(OutboxMessage.sent_at)) == later
    assert [job.kwargs for job in queued(redis)] == [{"bot_id": "bot_x"}]


def test_a_rolled_back_transaction_asks_for_nothing(ticker, redis):
    outbox.put("fleet", "advance_bot", now=NOW, bot_id="bot_x")
    db.session.rollback()
    assert ticker.tick(NOW) == 0


def test_a_lost_redis_loses_time_and_nothing_else(app, redis, valkey):
    made = bot()
    ticker = Ticker(redis, "first")
    ticker.tick(NOW)
    valkey.flush()
    assert queued(redis) == []
    assert ticker.tick(NOW + timedelta(seconds=6)) == 1
    assert [job.kwargs for job in queued(redis)] == [{"bot_ids": made.id}]


def test_sent_hints_are_forgotten_after_a_day(ticker):
    outbox.put("fleet", "advance_bot", now=NOW, bot_id="bot_x")
    db.session.commit()
    ticker.tick(NOW)
    ticker.tick(NOW + timedelta(hours=25))
    assert db.session.scalar(select(OutboxMessage.number)) is None


def test_files_that_no_message_names_are_swept(ticker, app, tmp_path):
    app.extensions["plutarc"] = replace(current.config(), storage_url=tmp_path.as_uri())
    kept = files.store(current.storage(), "lost.txt", "text/plain", b"x")
    os.utime(tmp_path / kept.storage_key, (NOW.timestamp(), NOW.timestamp()))
    ticker.tick(NOW + timedelta(hours=23))
    assert files.read(current.storage(), kept) == b"x"
    ticker.tick(NOW + timedelta(hours=25))
    assert files.read(current.storage(), kept) is None


def test_invitations_that_ran_out_are_ended(ticker):
    owner = factories.user()
    member = factories.organisation(owner).memberships[0]
    invitation = invitations.create(
        member.workspace,
        email="guest@example.com",
        role=Role.VIEWER,
        inviter=member,
        link_to=str,
        by=TESTER,
        now=NOW,
    ).invitation
    db.session.commit()
    ticker.tick(NOW + timedelta(days=6))
    assert invitation.state is InvitationState.PENDING
    ticker.tick(NOW + timedelta(days=8))
    db.session.expire_all()
    assert invitation.state is InvitationState.EXPIRED


def test_one_workspace_whose_log_takes_no_event_holds_up_no_other(ticker):
    """Neither do the invitations of the others stay open, nor does the ticker end."""
    found = []
    for _ in range(2):
        member = factories.organisation().memberships[0]
        invitation = invitations.create(
            member.workspace,
            email="guest@example.com",
            role=Role.VIEWER,
            inviter=member,
            link_to=str,
            by=TESTER,
            now=NOW,
        ).invitation
        taker = workspaces.add_member(
            member.workspace, factories.user("Bea"), Role.ADMIN, by=TESTER, now=NOW
        )
        ownership.offer(taker, acting=member, by=TESTER, now=NOW)
        found.append(invitation)
    head = db.session.get_one(AuditHead, found[0].workspace_id)
    head.seq, head.hash = 0, GENESIS
    db.session.commit()
    ticker.tick(NOW + timedelta(days=8))
    db.session.expire_all()
    assert [it.state for it in found] == [InvitationState.PENDING, InvitationState.EXPIRED]


def test_only_one_ticker_leads_until_its_lease_ends(app, redis):
    bot()
    first, second = Ticker(redis, "first"), Ticker(redis, "second")
    assert first.tick(NOW) == 1
    later = NOW + timedelta(seconds=6)
    assert second.tick(later) == 0
    assert first.tick(later) == 1
    much_later = later + timedelta(seconds=11)
    assert second.tick(much_later) == 1
    assert first.tick(much_later) == 0


def test_who_resigns_lets_the_next_one_lead(app):
    lease = timedelta(seconds=10)
    assert leadership.take("ticker", "first", NOW, lease)
    leadership.resign("ticker", "first")
    assert leadership.take("ticker", "second", NOW, lease)


class Worker:
    """A real worker process that works until its queue is empty."""

    def __init__(self, url, database):
        self.environment = {"REDIS_URL": url, "DATABASE_URL": database, "PATH": "/usr/bin:/bin"}

    def burst(self):
        code = (
            "import sys; from app.jobs import worker, queues; from rq import Worker;"
            "app = worker.application(); c = queues.connect(app.extensions['plutarc'].redis_url);"
            "q = queues.open_queue(queues.QueueName.FLEET, c);"
            "w = worker.BoundWorker([q], connection=c, serializer=worker.JSONSerializer);"
            "w.work(burst=True, logging_level='ERROR')"
        )
        subprocess.run(
            [sys.executable, "-c", code], env=self.environment, check=True, timeout=PATIENCE
        )


def test_a_worker_takes_a_step_with_the_real_driver(app, redis, redis_url, engine_url, tmp_path):
    made = bot()
    Ticker(redis, "first").tick(NOW)
    worker = Worker(redis_url, engine_url)
    worker.environment["VAR_DIR"] = str(tmp_path / "var")
    worker.burst()
    db.session.expire_all()
    assert db.session.get(BotCompute, made.id).phase == "asleep"
    assert list((tmp_path / "var" / "addresses").glob("b-*-ip.json"))


def test_a_job_that_is_not_listed_is_never_called(app, redis, redis_url, engine_url, tmp_path):
    queue = queues.open_queue(QueueName.FLEET, redis)
    target = tmp_path / "called"
    job = queue.enqueue_call("os.mkdir", args=[str(target)], failure_ttl=60)
    Worker(redis_url, engine_url).burst()
    assert not target.exists()
    assert FailedJobRegistry(queue=queue).get_job_ids() == [job.id]


def test_offers_of_ownership_whose_time_is_over_are_ended(ticker, redis):
    owner = factories.user()
    workspace = factories.organisation(owner)
    factories.joined(workspace)
    chief, other = sorted(workspace.memberships, key=lambda it: it.role)
    offer = ownership.offer(other, acting=chief, by=TESTER, now=NOW)
    db.session.commit()
    ticker.tick(NOW + timedelta(days=6))
    assert offer.state is OfferState.PENDING
    ticker.tick(NOW + timedelta(days=7))
    assert offer.state is OfferState.EXPIRED
