"""The page on which a person writes off what the exchange lists no more."""

from sqlalchemy import select, update

from app.extensions import db
from app.models import AuditEvent, BotCommand, Machine
from runner.protocol import CommandKind

GONE = "LUNA/USDT:USDT"


def told_by_its_runner(house, desk, *symbols):
    with house.app_context():
        ours = update(Machine).where(Machine.bot_id == desk.bot.rpartition("/")[2])
        db.session.execute(ours.values(health={"state": "trading", "unlisted": list(symbols)}))
        db.session.commit()
        db.session.remove()


def orders(house):
    with house.app_context():
        query = select(BotCommand).where(BotCommand.kind == CommandKind.WRITE_OFF)
        found = [row.arguments for row in db.session.scalars(query)]
        db.session.remove()
    return found


def test_what_its_runner_cannot_close_is_said_and_written_off_once(owner, desk, house):
    assert "Gone from the exchange" not in owner.get(desk.bot).text
    told_by_its_runner(house, desk, GONE)
    page = owner.get(desk.bot)
    assert "Gone from the exchange" in page.text
    assert f"{desk.bot}/write-off" in [link.get("href") for link in page.all("a")]
    fields = {"symbol": GONE, "reason": " settled by the  exchange "}
    for _ in range(2):  # pressed twice
        owner.get(f"{desk.bot}/write-off")
        page = owner.post(f"{desk.bot}/write-off", **fields)
    assert "forgets what it had there" in page.text
    assert orders(house) == [{"symbol": GONE, "reason": "settled by the exchange"}]
    assert "Asked for already" in owner.get(f"{desk.bot}/write-off").text
    with house.app_context():
        query = select(AuditEvent).where(AuditEvent.action == "position.write_off")
        (event,) = db.session.scalars(query)
        assert event.reason == "settled by the exchange"
        db.session.remove()


def test_a_reason_is_asked_for(owner, desk, house):
    told_by_its_runner(house, desk, GONE)
    owner.get(f"{desk.bot}/write-off")
    page = owner.post(f"{desk.bot}/write-off", 422, symbol=GONE, reason="")
    assert "Say what became of it" in page.text
    assert orders(house) == []


def test_what_is_listed_is_not_written_off(owner, desk, house):
    told_by_its_runner(house, desk)
    assert "Nothing to write off" in owner.get(f"{desk.bot}/write-off").text
    owner.post(f"{desk.bot}/write-off", 422, symbol="BTC/USDT:USDT", reason="I want to")
    assert orders(house) == []
