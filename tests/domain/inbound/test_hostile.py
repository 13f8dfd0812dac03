"""Every hazard known to us, each with the decision it must meet, and no traceback."""

import logging
import time

import pytest
from sqlalchemy import select

from app import create_app
from app.config import Config
from app.domain.inbound import parse
from app.extensions import db
from app.models import AuthorKind, InboundMail, Mail, Verification
from tests.domain.inbound.hostile import ALL, MACHINES, SHAPES, SPOOFS, destination, nested, parts
from tests.domain.inbound.post import World

QUIET = {"quarantined", "refused", "loop", "bounce"}


A_DAY = 90_000


@pytest.fixture(scope="module")
def world(tmp_path_factory, sqlite_template, keys):
    """One desk for all of them: a day lies between two mails, so none depends on the other."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "plutarc.db").write_bytes(sqlite_template.read_bytes())
    settings = {
        "DATABASE_URL": f"sqlite:///{folder}/plutarc.db",
        "SEAL_PUBLIC_KEY": keys.public,
    }
    app = create_app(Config.from_environment(settings, "worker"), "worker")
    with app.app_context():
        yield World(folder)
        db.session.remove()
        db.engine.dispose()


@pytest.mark.parametrize("trial", ALL, ids=str)
def test_each_hazard_meets_its_decision(world, trial, caplog):
    before, letters = world.counts(), _letters()
    with caplog.at_level(logging.WARNING):
        row = world.arrive(trial.make(world), destination(world, trial), later=A_DAY, **trial.how)
    assert (row.decision, row.reason != "" or row.decision in ("appended", "note")) == (
        trial.decision,
        True,
    ), row.reason
    assert "Traceback" not in caplog.text
    if trial.decision in QUIET:
        assert world.counts() == before
        assert _letters() == letters
    assert {it.author for it in world.messages()} <= {AuthorKind.USER}


def _letters():
    return len(db.session.scalars(select(Mail.id)).all())


def test_reading_takes_time_in_proportion_to_size_only(world):
    """Not a stopwatch against a limit: the worst shapes against a plain mail of their size."""
    many = b"a:\n" * 600_000
    blocks = b"Content-Type: multipart/mixed; boundary=b\n\n" + (b"--b\n" + many + b"\n") * 3
    made = [it(world) for it in (nested(1000), parts(10_000), *(it.make for it in SHAPES[:8]))]
    for raw in (*made, many, blocks):
        plain = b"From: a@example.com\n\n" + b"word\n" * (200_000 + len(raw) // 5)
        assert _seconds(raw) < 50 * _seconds(plain) + 0.5


def _seconds(raw):
    began = time.process_time()
    parse.take_apart(raw)
    return time.process_time() - began


def test_the_same_hazards_all_stay_in_the_book(world):
    found = world.arrive(SPOOFS[0].make(world), later=A_DAY)
    kept = db.session.get_one(InboundMail, found.id)
    assert kept.verdicts["proof"] == "pass"
    assert "somebody else wrote" in kept.reason
    assert len(MACHINES) + len(SHAPES) + len(SPOOFS) >= 80


def test_who_is_unproven_is_marked(world):
    trial = next(it for it in SPOOFS if it.name == "the owner, of a domain without DMARC")
    world.arrive(trial.make(world), later=A_DAY)
    assert world.messages()[-1].verification is Verification.UNVERIFIED
