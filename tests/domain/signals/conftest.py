"""A bot that listens, with its machine, its webhook, and a sender that knows the secret."""

import copy
import hmac
import json
from datetime import timedelta

import pytest

from app import tenancy
from app.domain import runners, strategies
from app.domain.signals import hooks, intake
from app.domain.signals.intake import Knock
from app.extensions import db
from app.gateways.locker import Locker
from app.models import Bot, Signal, User
from runner.protocol import Event, EventKind, PositionState, SignalDone, Sync, to_plain
from tests import factories, site
from tests.domain.test_fleet import Life
from tests.factories import TEMPO, TESTER

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
LOCKER = Locker(("a key of the tests",))


def listening(workspace):
    rules = copy.deepcopy(strategies.template("fast_ema_demo").rules)
    rules["signals"] = [{"kind": "external_signal", "params": {"valid": 60}}]
    made = strategies.create(
        workspace, name="Ears", rules=rules, author=None, by=TESTER, now=factories.NOW
    )
    return made.latest


class Ears(Life):
    """One bot that listens. ``send`` is the sender, ``sync`` its runner."""

    def __init__(self, keys, symbols=(BTC, ETH)):
        super().__init__(keys)
        workspace = self.bot.workspace
        self.bot = factories.bot(workspace, version=listening(workspace), symbols=symbols)
        self.author = db.session.query(User).first()
        self.secret = hooks.renew(
            self.bot, locker=LOCKER, author=self.author, by=TESTER, now=self.now
        )
        self.seq = 0
        db.session.commit()

    def message(self, **fields):
        known = {"secret": self.secret, "symbol": "BTCUSDT", "action": "buy"}
        known |= {"time": to_plain(self.now)} | fields
        return {name: value for name, value in known.items() if value is not None}

    def knock(self, body, source="203.0.113.5", stamp="", signature="", bot_id=None):
        answer = intake.receive(
            self.bot.id if bot_id is None else bot_id,
            Knock(body, source, stamp, signature),
            locker=LOCKER,
            tempo=TEMPO,
            now=self.now,
        )
        db.session.commit()
        tenancy.open_everything("a request of the sender is over")
        return answer

    def send(self, **fields):
        return self.knock(json.dumps(self.message(**fields)).encode())

    def sign(self, body, stamp=None, secret=None):
        stamp = str(int(self.now.timestamp())) if stamp is None else stamp
        said = stamp.encode() + b"." + body
        proof = hmac.new((secret or self.secret).encode(), said, "sha256").hexdigest()
        return self.knock(body, stamp=stamp, signature=f"sha256={proof}")

    def rows(self):
        db.session.expire_all()
        query = db.session.query(Signal).filter_by(bot_id=self.bot.id)
        return query.order_by(Signal.received_at, Signal.id).all()

    def row(self):
        (row,) = self.rows()
        return row

    def sync(self, *told):
        """The runner reports, also what became of signals; what it is handed in return."""
        batch = []
        for done in told:
            self.seq += 1
            batch.append(Event(self.seq, EventKind.SIGNAL, self.now, to_plain(done)))
        message = Sync(
            claim_id=self.claim_id,
            sent_at=self.now,
            batch=tuple(batch),
            position_state=PositionState.FLAT,
            open_orders=0,
            drained=False,
        )
        answer = runners.sync(message, now=self.now)
        db.session.commit()
        return answer.signals

    def later(self, **values):
        self.now += timedelta(**values)


def neighbour(ears):
    """Another bot that listens, in the same cloud; it has an address and sleeps."""
    made = object.__new__(Ears)
    made.__dict__ |= vars(ears)
    version, symbols = ears.bot.version, tuple(ears.bot.symbols)
    made.bot = factories.bot(ears.bot.workspace, version=version, symbols=symbols)
    made.secret = hooks.renew(made.bot, locker=LOCKER, author=ears.author, by=TESTER, now=ears.now)
    made.seq = 0
    db.session.commit()
    made.run()
    return made


@pytest.fixture(scope="module")
def town(tmp_path_factory, keys):
    """An application that the tests of a module share, and a bot in it that is awake and ready."""
    built = site.build(tmp_path_factory.mktemp("town"))
    with built.app_context():
        made = Ears(keys)
        made.wake()
        made.bot_id, made.author_id = made.bot.id, made.author.id
        del made.bot, made.author
        db.session.remove()
    return built, made


@pytest.fixture
def there(town):
    """Within that application; what a test does there is undone after it."""
    with site.as_it_was(), town[0].app_context():
        yield
        db.session.remove()


@pytest.fixture
def ears(there, town):
    """That bot."""
    made = object.__new__(Ears)
    made.__dict__ |= vars(town[1])
    made.cloud = copy.deepcopy(made.cloud)
    made.bot = db.session.get(Bot, made.bot_id)
    made.author = db.session.get(User, made.author_id)
    return made


def done(signal_id, outcome, reason="why", **more):
    return SignalDone(signal_id, outcome, reason, **more)
