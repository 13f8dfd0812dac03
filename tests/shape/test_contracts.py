import subprocess
import sys
from pathlib import Path

from tests.shape import source


def test_every_room_knows_only_whom_it_may():
    linter = Path(sys.executable).with_name("lint-imports")
    answer = subprocess.run(
        [str(linter), "--no-cache"], cwd=source.ROOT, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, (
        "Move the line to the room it belongs to (README, map of the rooms):\n" + answer.stdout
    )
