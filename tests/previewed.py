"""A preview that is done, with an answer the runner gave on candles written by hand."""

import json
import tempfile
import zlib
from functools import cache
from pathlib import Path

from app.domain import previews
from app.extensions import db
from app.models import Preview, PreviewState
from tests.runner.backtest import hand_history

SYMBOL = "BTC/USDT:USDT"
COUNT = 600


@cache
def answer(seed=1, **rules):
    """What the runner said of a random walk, as bytes."""
    with tempfile.TemporaryDirectory() as folder:
        candles = hand_history.walk(COUNT, seed)
        hand_history.keep(Path(folder), candles)
        asked = hand_history.plain(Path(folder), candles, 60, mode="preview")
        told, status, _ = hand_history.asked({**asked, "rules": hand_history.rules(**rules)})
    assert status == 0, told
    return json.dumps(told, sort_keys=True, separators=(",", ":")).encode()


def row(workspace, rules, now, *, said=None, state=PreviewState.DONE, symbol=SYMBOL, **more):
    """One of these rules on the practice market; ``said`` is its answer."""
    asked = previews.plan(rules, "practice", symbol, now)
    made = Preview(
        workspace_id=workspace.id,
        digest=previews.digest_of(asked),
        asked=asked,
        state=state,
        heard_at=now,
        asked_at=now,
        **more,
    )
    if state is PreviewState.DONE:
        made.answer = zlib.compress(answer() if said is None else said)
    db.session.add(made)
    db.session.flush()
    return made
