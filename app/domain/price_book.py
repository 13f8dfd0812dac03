"""The price book: what an hour of each resource costs, by region and version. Pure but ``load``."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import Any

from app.models.billing import IdlePayer

SHIPPED = Path(__file__).parent / "data" / "price_book.json"
ANY = "*"
"""A machine type that stands for all: only where all cost the same."""

MOST_DECIMALS = 8
"""Of a price; with a mark-up of two decimals it stays exact to twelve."""

HIGHEST = Decimal(10_000)


class Unreadable(ValueError):
    """A price book that cannot be used. The text says where and why."""


@dataclass(frozen=True)
class Rates:
    """What an hour costs in one region. The disk comes and goes with its machine.

    ``machines`` by type; ``usual_machine`` is what a bot gets that had none yet.
    """

    machines: Mapping[str, Decimal]
    usual_machine: str
    address_in_use: Decimal
    address_idle: Decimal
    disk_gb_hour: Decimal
    disk_gb: int

    def machine(self, kind: str) -> Decimal | None:
        """The hour of one machine type; ``None`` if the book does not know it."""
        return self.machines.get(kind, self.machines.get(ANY))

    @property
    def disk(self) -> Decimal:
        """The hour of the disk of one machine."""
        return self.disk_gb_hour * self.disk_gb

    def awake(self, kind: str) -> Decimal | None:
        """The hour of a bot that is awake: machine, disk, address in use."""
        machine = self.machine(kind)
        return None if machine is None else machine + self.disk + self.address_in_use


@dataclass(frozen=True)
class Version:
    """Prices from one moment on, and where they were read."""

    name: str
    valid_from: datetime
    source: str
    read_on: date
    idle_payer: IdlePayer
    markup_percent: Decimal
    regions: Mapping[str, Rates]


@dataclass(frozen=True)
class Book:
    """All versions, the oldest first."""

    currency: str
    versions: tuple[Version, ...]

    def at(self, moment: datetime) -> Version | None:
        """The version that is valid at a moment; before the first there is none."""
        valid = [it for it in self.versions if it.valid_from <= moment]
        return valid[-1] if valid else None

    def rates(self, region: str, moment: datetime) -> Rates | None:
        """What holds in a region at a moment, if the book knows."""
        version = self.at(moment)
        return version.regions.get(region) if version else None

    def borders(self, start: datetime, end: datetime) -> list[datetime]:
        """``start``, each change of prices inside, ``end``."""
        inside = (it.valid_from for it in self.versions if start < it.valid_from < end)
        return [start, *inside, end]


def load(path: Path) -> Book:
    """Read a book from a file.

    Raises:
        Unreadable: it is not there, is no JSON, or a value does not do.
    """
    try:
        return read(json.loads(path.read_text("utf-8"), parse_float=_no_float))
    except OSError as error:
        raise Unreadable(f"cannot be read: {error.strerror or error}") from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise Unreadable(f"is no JSON: {error}") from error


@cache
def shipped() -> Book:
    """The one that comes with this release."""
    return load(SHIPPED)


def read(found: Any) -> Book:
    """Check what a file holds. Raises ``Unreadable``."""
    _keys(found, {"currency", "versions"}, "the book")
    if found["currency"] != "USD":
        raise Unreadable('currency must be "USD".')
    if not isinstance(found["versions"], list) or not found["versions"]:
        raise Unreadable("versions must be a list of at least one.")
    versions = sorted(map(_version, found["versions"]), key=lambda it: it.valid_from)
    if len({it.valid_from for it in versions}) < len(versions):
        raise Unreadable("two versions have the same valid_from.")
    if len({it.name for it in versions}) < len(versions):
        raise Unreadable("two versions have the same name.")
    return Book("USD", tuple(versions))


def _version(found: Any) -> Version:
    required = "name valid_from source read_on idle_payer markup_percent regions"
    _keys(found, set(required.split()), "a version")
    where = f"version {found['name']!r}"
    if not isinstance(found["regions"], dict) or not found["regions"]:
        raise Unreadable(f"{where}: regions must name at least one.")
    try:
        valid_from = datetime.fromisoformat(found["valid_from"])
        read_on = date.fromisoformat(found["read_on"])
        payer = IdlePayer(found["idle_payer"])
    except (TypeError, ValueError) as error:
        raise Unreadable(f"{where}: {error}.") from error
    if valid_from.tzinfo is None:
        raise Unreadable(f"{where}: valid_from needs a zone, e.g. 2026-01-01T00:00:00Z.")
    return Version(
        name=_text(found["name"], f"{where}: name"),
        valid_from=valid_from.astimezone(UTC),
        source=_text(found["source"], f"{where}: source"),
        read_on=read_on,
        idle_payer=payer,
        markup_percent=_number(found["markup_percent"], f"{where}: markup_percent", 2),
        regions={name: _rates(it, f"{where}, {name}") for name, it in found["regions"].items()},
    )


def _rates(found: Any, where: str) -> Rates:
    required = "machines usual_machine address_in_use address_idle disk_gb_hour disk_gb"
    _keys(found, set(required.split()), where)
    if not isinstance(found["machines"], dict) or not found["machines"]:
        raise Unreadable(f"{where}: machines must name at least one type.")
    size = found["disk_gb"]
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= 10_000:
        raise Unreadable(f"{where}: disk_gb must be a whole number.")
    machines = {kind: _number(it, f"{where}: {kind}") for kind, it in found["machines"].items()}
    if found["usual_machine"] not in machines:
        raise Unreadable(f"{where}: usual_machine is none of its machines.")
    prices = {
        name: _number(found[name], f"{where}: {name}")
        for name in ("address_in_use", "address_idle", "disk_gb_hour")
    }
    return Rates(machines, found["usual_machine"], **prices, disk_gb=size)


def _number(found: Any, where: str, most: int = MOST_DECIMALS) -> Decimal:
    """A price is written as text: JSON's own numbers are not exact."""
    if not isinstance(found, str):
        raise Unreadable(f'{where} must be a number in quotes, e.g. "0.005".')
    try:
        number = Decimal(found)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or not 0 <= number <= HIGHEST:
        raise Unreadable(f"{where} is no number from 0 to {HIGHEST:,}.")
    if number != round(number, most):
        raise Unreadable(f"{where} has more than {most} decimals.")
    return number


def _text(found: Any, where: str) -> str:
    if not isinstance(found, str) or not found.strip() or len(found) > 400:
        raise Unreadable(f"{where} must be a text.")
    return found.strip()


def _keys(found: Any, required: set[str], where: str) -> None:
    if not isinstance(found, dict):
        raise Unreadable(f"{where} must be an object.")
    missing, odd = sorted(required - found.keys()), sorted(found.keys() - required)
    if missing:
        raise Unreadable(f"{where} lacks {', '.join(missing)}.")
    if odd:
        raise Unreadable(f"{where} holds {', '.join(map(str, odd))}, which is unknown here.")


def _no_float(text: str) -> Any:
    raise Unreadable(f'holds the bare number {text}; write it in quotes, "{text}".')


_in_use: list[Book] = []


def use(book: Book) -> None:
    """Make it the book of this process; done once, as the application is built."""
    _in_use[:] = [book]


def in_use() -> Book:
    """The book of this process: the shipped one until another is chosen."""
    if not _in_use:
        use(shipped())
    return _in_use[0]
