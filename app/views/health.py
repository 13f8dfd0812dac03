"""Health: whether the process is alive and can do its work."""

from flask import Blueprint, Response, jsonify

from app.extensions import db
from app.web.guards import public

bp = Blueprint("health", __name__)


@bp.get("/healthz")
@public
def alive() -> Response:
    """The process answers."""
    return jsonify(ok=True)


@bp.get("/readyz")
@public
def ready() -> Response:
    """The database answers too."""
    db.session.execute(db.text("SELECT 1"))
    return jsonify(ok=True)
