"""Two people publish the next version of one strategy at the same moment."""

from app.domain import strategies
from app.domain.errors import Overtaken
from app.extensions import db
from app.models import Strategy
from tests import factories
from tests.factories import NOW, TESTER
from tests.parallel import at_once


def test_of_two_who_publish_at_once_one_is_told_of_the_other(app):
    made = factories.strategy(factories.organisation())
    strategy_id, opened_on = made.id, made.latest.rules
    db.session.commit()

    def publish(size):
        strategy = db.session.get_one(Strategy, strategy_id)
        rules = opened_on | {"sizing": {"kind": "percent_equity", "value": size}}
        yield strategy.latest
        words = {"note": size, "author": None, "by": TESTER, "now": NOW}
        strategies.publish(strategy, rules=rules, base=1, **words)

    first, second = at_once(app, lambda: publish("11"), lambda: publish("12"))
    assert (first is None) is isinstance(second, Overtaken)
    assert (second is None) is isinstance(first, Overtaken)
    db.session.expire_all()
    newest, _ = db.session.get_one(Strategy, strategy_id).versions
    assert newest.rules["sizing"]["value"] == ("11" if first is None else "12")
