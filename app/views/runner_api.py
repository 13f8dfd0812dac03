"""The gate: the runners' only door. JSON in, JSON out; alone opens sealed credentials."""

from flask import Blueprint, Response, abort, current_app, request, send_from_directory

from app import current
from app.domain import code_door, runners
from app.domain.certification import door
from app.domain.errors import Gone, Misplaced, NotAllowed
from app.extensions import db
from app.gateways.vault import Opener
from app.web.guards import runner
from runner.protocol import (
    CertifyClaim,
    Claim,
    ProtocolError,
    Sync,
    TaskClaim,
    TaskPart,
    TaskReport,
    dumps,
    loads,
)

bp = Blueprint("runner_api", __name__, url_prefix="/runner/v1")
MAX_BODY = 8 * 1024 * 1024


@bp.post("/claim")
@runner
def claim() -> Response:
    """A runner asks for the right to trade."""
    config = current.config()
    answer = runners.claim(
        loads(Claim, request.get_data()),
        address=request.remote_addr or "",
        opener=Opener(config.master_keys),
        endpoints=config.exchange_endpoints,
        tempo=config.tempo,
        now=current.now(),
        streams=config.runner_streams,
    )
    return _json(answer)


@bp.post("/sync")
@runner
def sync() -> Response:
    """A runner reports, and is told what is wanted of it."""
    return _json(runners.sync(loads(Sync, request.get_data()), now=current.now()))


@bp.post("/task")
@runner
def task() -> Response:
    """A machine without keys asks for what it was made for."""
    return _json(code_door.fetch(loads(TaskClaim, request.get_data()), current.now()))


@bp.post("/task/report")
@runner
def task_report() -> Response:
    """It says how far it is, and hears whether anybody still waits."""
    return _json(code_door.report(loads(TaskReport, request.get_data()), current.now()))


@bp.post("/task/part")
@runner
def task_part() -> Response:
    """It hands in a part of its answer."""
    return _json(code_door.take(loads(TaskPart, request.get_data()), current.now()))


@bp.post("/certify")
@runner
def certify() -> Response:
    """The process of a certification asks for what to do, and with which key."""
    config = current.config()
    answer = door.fetch(
        loads(CertifyClaim, request.get_data()),
        opener=Opener(config.master_keys),
        endpoints=config.exchange_endpoints,
        now=current.now(),
    )
    return _json(answer)


@bp.get("/bundle/<digest>.pyz")
@runner
def bundle(digest: str) -> Response:
    """The program a machine runs, named by its SHA-256."""
    if len(digest) != 64 or not digest.isalnum():
        abort(404)
    return send_from_directory(current.config().bundle_dir, f"{digest}.pyz")


@bp.errorhandler(Gone)
def _gone(error: Gone) -> tuple[Response, int]:
    return _refusal(str(error)), 410


@bp.errorhandler(NotAllowed)
def _not_allowed(_error: NotAllowed) -> tuple[Response, int]:
    return _refusal("not allowed"), 403


@bp.errorhandler(Misplaced)
def _misplaced(error: Misplaced) -> tuple[Response, int]:
    """The same to whoever asks; but that the machine was seen elsewhere stays written down."""
    current.keep()
    return _not_allowed(error)


@bp.errorhandler(ProtocolError)
def _malformed(error: ProtocolError) -> tuple[Response, int]:
    return _refusal(str(error)), 422


@bp.errorhandler(500)
def _failed(error: Exception) -> tuple[Response, int]:
    """Whatever broke here, the runner should keep its telemetry and come again."""
    db.session.rollback()
    current_app.logger.error("a runner's call failed", exc_info=error)
    return _refusal("try again"), 503


def _refusal(reason: str) -> Response:
    return _json({"error": reason})


def _json(message: object) -> Response:
    return Response(dumps(message), content_type="application/json")
