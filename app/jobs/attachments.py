"""Fetching the files of a message before it is taken."""

from collections.abc import Callable
from dataclasses import dataclass

from app.domain.errors import Invalid
from app.domain.support import files
from app.domain.support.said import NewFile
from app.domain.telegram.incoming import Sent
from app.gateways.files import Files
from app.gateways.telegram import MOST_BYTES, Telegram


@dataclass(frozen=True)
class Fetched:
    """What was kept, and what was not, in words for whoever reads the message."""

    kept: tuple[NewFile, ...] = ()
    lost: tuple[str, ...] = ()


def fetch(wanted: tuple[Sent, ...], api: Telegram, storage: Callable[[], Files]) -> Fetched:
    """Fetch each file and put it into the storage; what fails is named, never raised.

    A file that is stored and then not named by any message is swept after a day.
    """
    kept: list[NewFile] = []
    lost: list[str] = []
    for one in wanted:
        found = _one(one, api, storage)
        if isinstance(found, NewFile):
            kept.append(found)
        else:
            lost.append(f"{one.name} was not kept: {found}")
    return Fetched(tuple(kept), tuple(lost))


def _one(one: Sent, api: Telegram, storage: Callable[[], Files]) -> NewFile | str:
    if one.size > MOST_BYTES:
        return "it is larger than 20 MB"
    download = api.download(one.file_id)
    if download.content is None:
        return download.detail
    try:
        return files.store(storage(), one.name, one.kind, download.content)
    except Invalid as error:
        return str(error)
    except OSError:
        return "the storage did not take it"
