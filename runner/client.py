"""The runner's two calls to the platform's gate: claim and sync."""

from __future__ import annotations

from typing import TypeVar

import aiohttp

from runner.errors import Operational, Superseded, Temporary
from runner.protocol import (
    CLAIM_PATH,
    SYNC_PATH,
    Claim,
    ClaimAnswer,
    ProtocolError,
    Sync,
    SyncAnswer,
    dumps,
    loads,
)

T = TypeVar("T", ClaimAnswer, SyncAnswer)
_LARGEST_ANSWER = 8 * 1024 * 1024


class GateClient:
    """Speaks ``runner.protocol`` over HTTP.

    Raises:
        Temporary: unreachable, overloaded or out of order; try again.
        Superseded: a newer generation or boot owns the bot; stop.
        Operational: the gate refuses this runner; trying again will not help.
    """

    def __init__(self, http: aiohttp.ClientSession, gate: str) -> None:
        self._http = http
        self._gate = gate.rstrip("/")

    async def claim(self, claim: Claim) -> ClaimAnswer:
        return await self._post(CLAIM_PATH, dumps(claim), ClaimAnswer)

    async def sync(self, sync: Sync) -> SyncAnswer:
        return await self._post(SYNC_PATH, dumps(sync), SyncAnswer)

    async def _post(self, path: str, body: bytes, kind: type[T]) -> T:
        headers = {"Content-Type": "application/json"}
        try:
            async with self._http.post(
                self._gate + path, data=body, headers=headers, allow_redirects=False
            ) as answer:
                content = await answer.content.read(_LARGEST_ANSWER)
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Temporary(f"gate unreachable: {type(error).__name__}") from error
        if status == 200:
            try:
                return loads(kind, content)
            except ProtocolError as error:
                raise Temporary(f"gate answered something else: {error}") from error
        raise _refusal(path, status, content)


def _refusal(path: str, status: int, content: bytes) -> Exception:
    said = content[:200].decode(errors="replace")
    if status in (409, 410):
        return Superseded(f"{path}: {status} {said}")
    if status in (400, 401, 403, 404, 413, 422):
        return Operational(f"{path}: {status} {said}")
    return Temporary(f"{path}: {status} {said}")
