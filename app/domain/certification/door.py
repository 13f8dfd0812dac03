"""What the gate answers to the process of a certification: what to certify, and the key. Once."""

import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta

from app.domain import briefing, clock, machines
from app.domain.errors import NotAllowed
from app.extensions import db
from app.gateways.vault import Opener
from app.models import BacktestState, CertificationRun
from runner.protocol import Certify, CertifyClaim, Mode

IN_TIME = timedelta(minutes=1)
"""From the worker's taking it on to the process asking for the key."""


def fetch(
    claim: CertifyClaim, *, opener: Opener, endpoints: Mapping[str, str], now: datetime
) -> Certify:
    """Hand over what to do, with the key; whoever asks again gets nothing.

    Raises:
        NotAllowed: no such run, a wrong or a spent token, or a key that may not be handed out.
    """
    run = db.session.get(CertificationRun, claim.run, with_for_update=True, populate_existing=True)
    given = machines.token_digest(claim.token)
    if run is None or not run.token_hash or not hmac.compare_digest(run.token_hash, given):
        raise NotAllowed
    run.token_hash = ""
    late = run.started_at is None or clock.database_now(now) > run.started_at + IN_TIME
    if run.state is not BacktestState.RUNNING or run.cancel_at is not None or late:
        raise NotAllowed
    connection = run.connection
    db.session.refresh(connection)
    key = briefing.opened(connection, Mode.TESTNET, opener)
    if key is None:
        raise NotAllowed
    return Certify(connection.exchange, run.symbol, key, endpoints.get(connection.exchange))
