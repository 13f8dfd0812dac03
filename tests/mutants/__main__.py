"""``python -m tests.mutants [ONLY=id,id]``: break each invariant on purpose; its tests must notice.

Every row of ``tests/invariants.csv`` is tried on a copy of the tree, so nothing here is changed.
``ONLY=live`` tries live-1, live-2 and so on.
Exit code 1 if a break is missed, a patch does not apply, or a test fails without any break.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests import results
from tests.mutants.invariants import ROOT, listed

AT_ONCE = 2
SECONDS = 600
FAILED = 1  # pytest: tests ran and some failed; 2 and more mean that they could not run
UNFIT = 3  # the patch does not apply
WORDS = {0: "missed", FAILED: "caught"}


def main(arguments):
    wishes = dict(argument.split("=", 1) for argument in arguments)
    only = wishes.get("ONLY") or ""
    rows = [row for row in listed() if not only or wanted(row.id, only)]
    if not rows:
        print(f"no invariant is called {only}", file=sys.stderr)
        return 2
    name = results.commit()
    provable = [row for row in rows if row.mutant]
    failing = failing_without_break(sorted({node for row in provable for node in row.tests}))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = pool.map(lambda row: tried(row, failing), provable)
        verdicts = dict(zip([row.id for row in provable], found, strict=True))
    if not only:
        print(f"the report is {results.write('mutants', name, page(name, rows, verdicts))}")
    return int(any(verdict != "caught" for verdict, _ in verdicts.values()))


def wanted(name, only):
    """Whether an invariant is one of those named, alone or as a family."""
    return any(name == one or name.startswith(f"{one}-") for one in only.split(","))


def failing_without_break(nodes):
    """Those tests that fail, or cannot run, where nothing is broken: they prove nothing."""
    if not nodes:
        return set()
    code, output, seconds = run(nodes, None, "-n", str(AT_ONCE))
    print(f"{len(nodes)} tests without any break: {'FAIL' if code else 'pass'}, {seconds:.0f} s")
    if not code:
        return set()
    print(output, flush=True)
    told = re.findall(r"^FAILED ([^\s\[]+)", output, re.MULTILINE)
    return set(told) if code == FAILED else set(nodes)


def tried(row, failing):
    """What became of one break: caught, missed, or why it was not tried; and seconds."""
    if failing & set(row.tests):
        return "fails without any break", 0
    code, output, seconds = run(row.tests, row.mutant, "-x")
    verdict = WORDS.get(code, "not tried")
    print(f"{row.id}: {verdict}, {seconds:.0f} s", flush=True)
    if verdict == "not tried":
        print(output, flush=True)
    return verdict, seconds


def run(nodes, mutant, *options):
    """The tests on a copy of the tree, broken by ``mutant`` if given: code, output, seconds."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="plutarc-mutant-") as folder:
        copy(Path(folder))
        code, output = called(["git", "apply", str(ROOT / mutant)], folder) if mutant else (0, "")
        if code == 0:
            command = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", *options, *nodes]
            code, output = called(command, folder)
        else:
            code = UNFIT
    return code, output, time.monotonic() - began


def copy(folder):
    """All files that git tracks, as they are now."""
    for name in filter(None, results.git("ls-files", "-z").split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)


def called(command, folder):
    """Exit code and the end of what was said; whatever takes too long is asked to end in order."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        output, _ = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)  # fixtures end what they started
        output, _ = process.communicate()
    return process.returncode, output[-3000:]


def page(name, rows, verdicts):
    """The report: one line per invariant."""
    counts = {word: [v for v, _ in verdicts.values()].count(word) for word in WORDS.values()}
    yield f"# Invariants broken on purpose, {name}"
    yield ""
    yield f"{counts['caught']} caught, {counts['missed']} missed,"
    yield f"{len(rows) - len(verdicts)} open of {len(rows)}."
    yield ""
    yield "| invariant | statement | verdict | seconds |"
    yield "|---|---|---|---|"
    for row in rows:
        verdict, seconds = verdicts.get(row.id, (f"open: {row.open}", 0))
        yield f"| {row.id} | {row.statement} | {verdict} | {f'{seconds:.0f}' if seconds else ''} |"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
