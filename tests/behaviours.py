"""What each template did on practice history: ``python -m tests.behaviours`` writes it down.

The practice market's prices follow from its seed, and a new installation begins with this seed: so
whoever asks for these very days there gets these very trades.
"""

import json
import tempfile
from pathlib import Path

from app.gateways.backtest import Backtester
from app.gateways.backtest_outcome import End
from app.web import behaviour
from runner.strategy import TEMPLATES, Template
from tests.runner.machine import Practice


def told(template: Template, folder: Path, url: str) -> dict:
    """The runner's own answer, with candles fetched from a practice market."""
    outcome = Backtester(folder, {"practice": url}).run(behaviour.request(template), _onwards)
    assert outcome.end is End.DONE, (template.key, outcome)
    return json.loads(outcome.answer)["preview"]


def written(found: dict) -> str:
    """As it stands in the file."""
    return json.dumps(found, sort_keys=True, separators=(",", ":")) + "\n"


def _onwards(*_: object) -> bool:
    return True


def main() -> None:
    """Write all of them."""
    with tempfile.TemporaryDirectory() as place, Practice(Path(place)) as market:
        for template in TEMPLATES:
            found = told(template, Path(place) / "history", market.url)
            behaviour.path_of(template).write_text(written(found))


if __name__ == "__main__":
    main()
