"""Ten thousand trades: what a page asks of the database, and what a file keeps in memory."""

import csv
import gc
import io
from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import insert

from app.extensions import db
from app.models import Bot, TradeRow, TradeTag
from tests import factories, site, sql
from tests.bench import village
from tests.factories import NOW

MANY = 10_000
QUESTIONS = (
    "",
    "?page=2",
    "?page=150",
    "?sort=result&order=rising",
    "?sort=size&page=40",
    "?result=won&mode=paper&side=buy",
    "?tag=odd",
    "?tag=odd&sort=fees&page=3",
    "?since=2026-11-01&until=2026-11-20&sort=length",
)


def grown(app, count):
    """A workspace of two bots with so many trades, every seventh with a tag."""
    made = village.build(app, 2, told=0)
    with site.rows(app):
        run = factories.run(db.session.get_one(Bot, made.bot))
        one = factories.trade(run)
        columns = [it.key for it in TradeRow.__mapper__.column_attrs if it.key != "number"]
        plain = {key: getattr(one, key) for key in columns}
        rows = [
            plain
            | {
                "id": f"trd_{made.bot[4:12]}{n:06}",
                "opened_at": NOW - timedelta(minutes=3 * n),
                "closed_at": NOW - timedelta(minutes=3 * n - 1 - n % 2),
                "result": float(n % 9 - 4),
            }
            for n in range(1, count)
        ]
        db.session.execute(insert(TradeRow), rows)
        tags = [
            {"workspace_id": made.workspace, "trade_id": row["id"], "name": "odd"}
            for row in rows[::7]
        ]
        db.session.execute(insert(TradeTag), tags)
    home = f"/w/{made.workspace}/trades"
    return SimpleNamespace(home=home, client=village.visitor(app, made))


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """Two workspaces of one application: one with few trades, one with many."""
    app = site.build(tmp_path_factory.mktemp("trades"))
    return app, grown(app, 200), grown(app, MANY)


@pytest.fixture(autouse=True)
def every_change_leaves_an_event():
    """These pages change nothing, and the applications are not those of other tests."""


@pytest.fixture(autouse=True)
def as_it_was():
    """Nothing is written."""


def asked(app, place, question):
    with app.app_context(), sql.told() as said:
        answer = place.client.get(place.home + question)
    assert answer.status_code == 200
    return said, answer.get_data(as_text=True)


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_page_asks_as_much_of_ten_thousand_as_of_two_hundred(places, question):
    app, few, many = places
    asked(app, few, "")
    small, _ = asked(app, few, question.partition("page=")[0])
    large, text = asked(app, many, question)
    assert len(large) <= len(small), "\n".join(large)
    assert text.count("/trades/trd_") <= 50
    assert len(text) < 100_000


def test_a_page_beyond_the_last_is_the_last(places):
    app, _, many = places
    _, text = asked(app, many, "?page=100000")
    assert text.count("/trades/trd_") == 50
    assert "page=199" in text
    assert "page=201" not in text


def test_a_file_is_read_and_sent_piece_by_piece(places):
    app, _, many = places
    with app.app_context(), sql.told() as said:
        answer = many.client.get(f"{many.home}/trades.csv", buffered=False)
        pieces = iter(answer.response)
        first = [next(pieces) for _ in range(100)]
        read = sum("FROM trade JOIN" in it for it in said)
        rest, most = b"", 0
        for count, piece in enumerate(pieces):
            rest += piece
            if count % 1_500 == 0:
                alive = sum(isinstance(it, TradeRow) for it in gc.get_objects())
                most = max(most, alive)
        answer.close()
    assert read == 1, "a hundred rows need one batch"
    assert most <= 1_100, "no more is held than a batch and the one before it"
    rows = list(csv.reader(io.StringIO((b"".join(first) + rest).decode())))
    assert len(rows) == MANY + 1
