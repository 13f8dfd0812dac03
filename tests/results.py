"""Where results of the long checks are kept, and of which commit they are."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "docs" / "results"


def git(*arguments):
    command = ["git", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def commit():
    """The short id of the commit that is looked at, marked if the code differs from it."""
    changed = git("status", "--porcelain", "--", "app", "runner", "templates", "wsgi.py").strip()
    return git("rev-parse", "--short", "HEAD").strip() + ("-changed" if changed else "")


def write(kind, name, lines):
    """Keep a page as ``docs/results/<kind>-<name>.md``; returns its path."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"{kind}-{name}.md"
    path.write_text("\n".join([*lines, ""]))
    return path
