"""Calls to the platform's gate: a runner's claim and sync, a task's, a certification's."""

from __future__ import annotations

from typing import TypeVar

import aiohttp

from runner.errors import Operational, Superseded, Temporary
from runner.protocol import (
    CERTIFY_PATH,
    CLAIM_PATH,
    SYNC_PATH,
    TASK_PART_PATH,
    TASK_PATH,
    TASK_REPORT_PATH,
    Certify,
    CertifyClaim,
    Claim,
    ClaimAnswer,
    ProtocolError,
    Sync,
    SyncAnswer,
    Task,
    TaskClaim,
    TaskPart,
    TaskReport,
    TaskWanted,
    dumps,
    loads,
)

T = TypeVar("T", Certify, ClaimAnswer, SyncAnswer, Task, TaskWanted)
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

    async def task(self, claim: TaskClaim) -> Task:
        return await self._post(TASK_PATH, dumps(claim), Task)

    async def report(self, report: TaskReport) -> TaskWanted:
        return await self._post(TASK_REPORT_PATH, dumps(report), TaskWanted)

    async def part(self, part: TaskPart) -> TaskWanted:
        return await self._post(TASK_PART_PATH, dumps(part), TaskWanted)

    async def certify(self, claim: CertifyClaim) -> Certify:
        return await self._post(CERTIFY_PATH, dumps(claim), Certify)

    async def _post(self, path: str, body: bytes, kind: type[T]) -> T:
        headers = {"Content-Type": "application/json"}
        try:
            async with self._http.post(
                self._gate + path, data=body, headers=headers, allow_redirects=False
            ) as answer:
                content = await _whole(answer)
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Temporary(f"gate unreachable: {type(error).__name__}") from error
        if status == 200:
            try:
                return loads(kind, content)
            except ProtocolError as error:
                raise Temporary(f"gate answered something else: {error}") from error
        raise _refusal(path, status, content)


async def _whole(answer: aiohttp.ClientResponse) -> bytes:
    """All of an answer, which may come in pieces; of one that is too large the beginning."""
    content = bytearray()
    async for piece in answer.content.iter_any():
        content += piece
        if len(content) > _LARGEST_ANSWER:
            break
    return bytes(content)


def _refusal(path: str, status: int, content: bytes) -> Exception:
    said = content[:200].decode(errors="replace")
    if status in (409, 410):
        return Superseded(f"{path}: {status} {said}")
    if status in (400, 401, 403, 404, 413, 422):
        return Operational(f"{path}: {status} {said}")
    return Temporary(f"{path}: {status} {said}")
