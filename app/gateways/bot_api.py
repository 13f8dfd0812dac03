"""Telegram's Bot API over HTTPS: one call, one answer, no exception, and no token in any words."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import requests

from app.gateways.telegram import MOST_BYTES, Answer, Cause, Download, Fate

# Its lines below an error hold addresses, and those of this API hold the token.
logging.getLogger("urllib3").setLevel(logging.ERROR)

_CONNECT, _READ = 5.0, 15.0
_DETAIL = 200


class BotApi:
    """The Bot API at an address, with the token that is part of every URL and of no text."""

    def __init__(
        self, token: str, base: str, *, connect: float = _CONNECT, read: float = _READ
    ) -> None:
        self._token = token
        self._base = base.rstrip("/")
        self._connect, self._read = connect, read

    def __repr__(self) -> str:
        return f"BotApi({self._base!r})"

    def call(self, method: str, parameters: Mapping[str, Any], *, patience: float = 0) -> Answer:
        """Make one call."""
        try:
            response = requests.post(
                f"{self._base}/bot{self._token}/{method}",
                json=dict(parameters),
                timeout=(self._connect, self._read + patience),
                allow_redirects=False,
            )
        except (requests.ConnectTimeout, requests.exceptions.SSLError):
            return Answer(Fate.LATER, detail="Telegram could not be reached.")
        except requests.ConnectionError as error:
            return _cut_off(error)
        except requests.RequestException:
            return Answer(Fate.UNKNOWN, detail="The answer was lost; it may have been taken.")
        return self._read_answer(response)

    def download(self, file_id: str) -> Download:
        """Fetch a file. Its address holds the token and lasts an hour, so it is used at once."""
        found = self.call("getFile", {"file_id": file_id})
        path = found.result.get("file_path") if isinstance(found.result, dict) else None
        if found.fate is not Fate.DONE or not isinstance(path, str):
            return Download(detail=found.detail or "Telegram names no file.")
        try:
            with requests.get(
                f"{self._base}/file/bot{self._token}/{path}",
                timeout=(self._connect, self._read),
                stream=True,
                allow_redirects=False,
            ) as response:
                if response.status_code != 200:
                    return Download(detail=f"Telegram answered {response.status_code}.")
                return _read_at_most(response)
        except requests.RequestException:
            return Download(detail="The file did not arrive.")

    def _read_answer(self, response: requests.Response) -> Answer:
        """Tell apart what will pass, what will not, and what nobody knows."""
        try:
            body = response.json()
        except ValueError:
            body = None
        if not isinstance(body, dict) or not isinstance(body.get("ok"), bool):
            return _no_api(response.status_code)
        if body["ok"]:
            return Answer(Fate.DONE, body.get("result"))
        said = str(body.get("description", "")).replace(self._token, "…")
        code = _whole(body.get("error_code")) or response.status_code
        extra = body.get("parameters")
        return _refusal(code, said[:_DETAIL], extra if isinstance(extra, dict) else {})


def _cut_off(error: requests.ConnectionError) -> Answer:
    """Refused before a word was sent, or cut off after: then it may have been taken."""
    if "NewConnectionError" in repr(error) or "NameResolutionError" in repr(error):
        return Answer(Fate.LATER, detail="Telegram could not be reached.")
    return Answer(Fate.UNKNOWN, detail="The connection broke; it may have been taken.")


def _no_api(status: int) -> Answer:
    """A proxy or a wrong address answers, not the API; 5xx of a gateway may hide a success."""
    detail = f"No Bot API answers there (status {status})."
    return Answer(Fate.UNKNOWN if status in (200, 502, 504) else Fate.LATER, detail=detail)


def _refusal(code: int, said: str, extra: Mapping[str, Any]) -> Answer:
    detail = f"{code} {said}".strip()
    if code == 429:
        return Answer(Fate.LATER, detail=detail, wait=_whole(extra.get("retry_after")) or 1)
    if code >= 500:
        return Answer(Fate.LATER, detail=detail)
    moved = _whole(extra.get("migrate_to_chat_id"))
    if moved:
        return Answer(Fate.REFUSED, detail=detail, cause=Cause.MOVED, moved_to=moved)
    return Answer(Fate.REFUSED, detail=detail, cause=_cause(code, said.lower()))


_WORDS = (
    ("message thread not found", Cause.NO_TOPIC),
    ("topic_deleted", Cause.NO_TOPIC),
    ("topic_id_invalid", Cause.NO_TOPIC),
    ("not_modified", Cause.UNCHANGED),
    ("not a forum", Cause.NO_TOPICS_HERE),
    ("not enough rights", Cause.NO_TOPICS_HERE),
    ("chat_admin_required", Cause.NO_TOPICS_HERE),
    ("user is deactivated", Cause.BLOCKED),
)


def _cause(code: int, said: str) -> Cause:
    for words, cause in _WORDS:
        if words in said:
            return cause
    if code == 403:
        return Cause.BLOCKED
    if code in (401, 404):
        return Cause.TOKEN
    return Cause.ELSEWHERE if code == 409 else Cause.OTHER


def _whole(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _read_at_most(response: requests.Response) -> Download:
    kept = bytearray()
    for piece in response.iter_content(64 * 1024):
        kept += piece
        if len(kept) > MOST_BYTES:
            return Download(detail="The file is larger than 20 MB.")
    return Download(bytes(kept))
