"""The one place where a step meets the outside: begin, commit, do, finish, commit."""

import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from importlib import import_module

from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.orm import configure_mappers

from app import current
from app.config import Config
from app.domain import checkpoints, finds, fleet, machines, mail, sweeps
from app.domain.inbound import intake, parse
from app.domain.inbound.case import Desk
from app.domain.letters import House
from app.domain.status import facts, measure
from app.domain.telegram import presence, steps, updates
from app.extensions import db
from app.gateways import knock
from app.gateways.bot_api import BotApi
from app.gateways.compute.driver import ComputeDriver
from app.gateways.compute.local import LocalDriver
from app.gateways.mail import NoPostman, Postman
from app.gateways.signing import Signer
from app.gateways.smtp import SmtpPostman
from app.gateways.telegram import NoTelegram, Telegram
from app.jobs import attachments

_ONE_JOB = 30.0
"""Seconds."""
_SHARED_FOR = 1.0
"""Seconds after which a job of several bots takes on no other one."""
_STEPS_AT_ONCE = 3
"""Of one bot: a driver's step may take fifteen seconds, a job sixty."""


def compute_driver(config: Config) -> ComputeDriver:
    """The driver that the settings name. The cloud's library is loaded only for the cloud."""
    if config.compute.gce is None:
        return LocalDriver(config.var_dir, code=config.code_strategies)
    from app.gateways.compute.gce import GceDriver  # noqa: PLC0415 -- 2 s and 140 MiB
    from app.gateways.compute.gce_metadata import Preparation  # noqa: PLC0415

    preparation = Preparation(config.bundle_dir, code=config.code_strategies)
    return GceDriver(config.compute.gce, preparation)


def preload(config: Config) -> None:
    """Load what jobs need before the worker forks, so that no job loads it for itself.

    Mappers are put together at the first query, which is a tenth of a second for each child.
    """
    configure_mappers()
    if config.compute.gce is not None:
        import_module("app.gateways.compute.gce")


def prepare(config: Config) -> None:
    """Build the programs of the exchanges that bots have; what fails here is a job's to meet."""
    if config.compute.gce is None:
        return
    from app.gateways.compute.gce_metadata import Preparation  # noqa: PLC0415 -- as above

    preparation, exchanges = Preparation(config.bundle_dir), list[str]()
    with suppress(SQLAlchemyError):
        exchanges = machines.exchanges()
    db.session.rollback()  # to read takes SQLite's one place for a writer, and building takes long
    for exchange in exchanges:
        preparation.build(exchange)


def postman(config: Config) -> Postman:
    """Who takes letters, by the settings."""
    if config.mail_server is None:
        return NoPostman()
    return SmtpPostman(config.mail_server, config.mail_from, config.app_name)


def telegram(config: Config) -> Telegram:
    """Who makes calls of the Bot API, by the settings."""
    found = config.telegram
    return BotApi(found.token, found.api_base) if found.on else NoTelegram()


def advance_each(bot_ids: Sequence[str]) -> None:
    """Take what steps are due now of these bots, a few of each; what fails keeps no other waiting.

    To begin a process costs more than a step where the cloud answers quickly. Where it does not,
    the rest is given back, to be shared out anew among all workers.

    Raises:
        ExceptionGroup: what failed, after all others had their turn; their bots are due again.
    """
    until = time.monotonic() + _SHARED_FOR
    driver = compute_driver(current.config())
    failed: list[Exception] = []
    for at, bot_id in enumerate(bot_ids):
        if at and time.monotonic() > until:
            fleet.give_back(bot_ids[at:], datetime.now(UTC))
            db.session.commit()
            break
        try:
            _advance_while_due(bot_id, driver)
        except Exception as error:  # noqa: BLE001 -- raised below, for the queue to keep
            error.add_note(f"a step of {bot_id}")
            failed.append(error)
        finally:
            db.session.rollback()
            db.session.remove()
    if failed:
        raise ExceptionGroup("steps failed", failed)


def _advance_while_due(bot_id: str, driver: ComputeDriver) -> None:
    """Take a few steps, each of them only if it is due when the one before has ended."""
    for _ in range(_STEPS_AT_ONCE):
        if not advance(bot_id, driver) or not fleet.is_due(bot_id, datetime.now(UTC)):
            return


def advance(bot_id: str, driver: ComputeDriver | None = None) -> bool:
    """Take one step of one bot; ``True`` if something was done outside, and written down."""
    config = current.config()
    settings = fleet.Settings(
        tempo=config.tempo,
        gate_url=config.runner_base_url,
        in_flight=config.compute_in_flight,
        zoned=config.compute.zoned,
    )
    db.session.connection()  # SQLite: wait for its lock before reading the time, not after
    errand = fleet.begin(bot_id, datetime.now(UTC), settings)
    db.session.commit()
    if errand is None:
        return False
    result = (driver or compute_driver(config)).do(errand.step)
    db.session.connection()
    kept = fleet.finish(errand, result, datetime.now(UTC))
    db.session.commit()
    return kept


def sweep(holder: str) -> bool:
    """Compare all that the cloud shows with the rows; ``True`` if something was concluded."""
    config = current.config()
    db.session.connection()  # as above
    look = sweeps.begin(holder, datetime.now(UTC))
    db.session.commit()
    if look is None:
        return False
    survey = compute_driver(config).survey(config.compute.regions)
    db.session.connection()
    run = sweeps.conclude(look, survey, datetime.now(UTC))
    db.session.commit()
    return run is not None


def delete_find(find_id: str) -> bool:
    """Take one step of deleting what no row accounts for; ``True`` if something was asked."""
    db.session.connection()  # as above
    clearing = finds.begin(find_id, datetime.now(UTC))
    db.session.commit()
    if clearing is None:
        return False
    result = compute_driver(current.config()).do(clearing.step)
    db.session.connection()
    finds.finish(clearing, result, datetime.now(UTC))
    db.session.commit()
    return True


def send(mail_id: str) -> bool:
    """Try once to send one letter; ``True`` if it was tried."""
    config = current.config()
    db.session.connection()  # as above
    now = datetime.now(UTC)
    errand = mail.begin(mail_id, now, house=current.house(), sender=config.mail_from)
    db.session.commit()
    if errand is None:
        return False
    delivery = postman(config).send(errand.letter)
    db.session.connection()
    mail.finish(errand, delivery, datetime.now(UTC))
    db.session.commit()
    return True


def take_in(mail_id: str) -> bool:
    """Decide on one mail that came in; ``True`` if it was decided on now."""
    config = current.config()
    if not config.inbound.open:
        return False
    db.session.connection()
    waiting = intake.begin(mail_id, current.mail_locker(), datetime.now(UTC))
    db.session.commit()
    if waiting is None:
        return False
    letter = parse.take_apart(waiting.raw)
    inbound = config.inbound
    desk = Desk(inbound.domain, inbound.key, inbound.authserv_id, config.mail_from)
    db.session.connection()
    now = datetime.now(UTC)
    decision = intake.finish(waiting, letter, desk=desk, storage=current.storage(), now=now)
    db.session.commit()
    return decision is not None


def ring(call_id: str) -> bool:
    """Take the steps that are due at the place of a call; ``True`` if any was taken.

    A long queue is left after half a minute and asked for anew: a job is ended after a whole one.
    """
    config = current.config()
    api, desk = telegram(config), _desk(config)
    began, taken = time.monotonic(), False
    while time.monotonic() < began + _ONE_JOB:
        db.session.connection()  # as above
        errand = steps.begin(call_id, datetime.now(UTC), desk)
        db.session.commit()
        if errand is None:
            return taken
        answer = api.call(errand.method, errand.parameters)
        db.session.connection()
        steps.finish(errand, answer, datetime.now(UTC))
        db.session.commit()
        taken = True
    steps.go_on(call_id, datetime.now(UTC))
    db.session.commit()
    return taken


def take_update(bot_id: int, update_id: int) -> str:
    """Decide about one update, its files fetched first; returns the decision."""
    config = current.config()
    api = telegram(config)
    found = attachments.fetch(updates.wanted_files(bot_id, update_id), api, current.storage)
    db.session.rollback()
    db.session.connection()
    try:
        decision = updates.take(
            bot_id, update_id, datetime.now(UTC), _desk(config), found.kept, found.lost
        )
        db.session.commit()
    except OperationalError:
        # The database was busy, or gone: the update waits on, and the timetable asks for it anew.
        db.session.rollback()
        raise
    except Exception as error:
        db.session.rollback()
        updates.failed(bot_id, update_id, type(error).__name__, datetime.now(UTC))
        db.session.commit()
        raise
    return decision


def look_telegram() -> None:
    """Learn the bot's name and whether it may make topics in the operators' chat."""
    config = current.config()
    if not config.telegram.on:
        return
    seen = presence.look(telegram(config), config.telegram.chat_id, config.telegram.bot_id)
    presence.keep(seen, datetime.now(UTC))
    db.session.commit()


def _desk(config: Config) -> steps.Desk:
    house = House(config.app_name, config.base_url)
    return steps.Desk(house, config.telegram.chat_id, config.telegram.bot_id)


def sign(chain: str) -> bool:
    """Sign where one audit chain stands and complete its file; ``True`` if the file grew."""
    config = current.config()
    if not config.signing_key:
        return False
    db.session.rollback()  # a reading transaction begins as one
    db.session.connection(execution_options={"read_only": True})
    found = checkpoints.look(chain)
    db.session.rollback()
    if found is None:
        return False
    db.session.connection()
    kept = checkpoints.keep(found, Signer(config.signing_key), datetime.now(UTC))
    db.session.commit()
    return checkpoints.complete(current.storage(), chain, kept) > 0


def look_around() -> None:
    """Measure every component of the status page once."""
    db.session.rollback()
    site = knock.answers(current.config().base_url)
    db.session.connection()  # as above
    now = datetime.now(UTC)
    measure.keep(facts.look(site, now), now)
    db.session.commit()
