"""``python -m runner certify``: asks once, certifies, writes the report; or verifies one.

Exit codes: 0 every step passed, or the report is sound; 1 a step did not pass, or the report is
not sound; 2 nothing was asked of the venue, the sentence says why; 3 stopped by a signal, and
cleaned up; 4 something is left at the venue, the report names it.
"""

from __future__ import annotations

import argparse
import asyncio
import getpass
import logging
import os
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from runner.certify import assigned, needs, report
from runner.certify.envelope import canonical, fingerprint, public_of, signed
from runner.certify.outline import SYMBOL
from runner.certify.page import page
from runner.certify.run import Outcome, certify
from runner.certify.signing import default_path, key_of_tester
from runner.certify.stand import Place
from runner.certify.verify import verify
from runner.errors import Operational
from runner.exchange.quirks.catalog import VENUES
from runner.protocol import Credentials

PASSED, NOT_PASSED, NOT_BEGUN, STOPPED, LEFT = range(5)
_KEY, _SECRET, _PHRASE = "PLUTARC_API_KEY", "PLUTARC_API_SECRET", "PLUTARC_API_PASSPHRASE"
_WITH_PASSPHRASE = ("okx",)


def command(arguments: list[str]) -> int:
    if arguments == [assigned.FROM_GATE]:
        return assigned.command(sys.stdin, sys.stdout, sys.stderr)
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr, format="%(message)s")
    try:
        return _verify(options) if options.verify else _certify(options)
    except Operational as error:
        sys.stderr.write(f"{error}\n")
        return NOT_BEGUN


def _parser() -> argparse.ArgumentParser:
    codes = (__doc__ or "").partition("\n\n")[2]
    parser = argparse.ArgumentParser(
        prog="python -m runner certify",
        allow_abbrev=False,
        description="Prove an exchange with your own test key, and sign what was seen.",
        epilog=f"The key comes from {_KEY}, {_SECRET} and {_PHRASE}, else from a prompt. {codes}",
    )
    parser.add_argument("--exchange", choices=VENUES, help="which exchange")
    parser.add_argument("--env", default="testnet", help="testnet; real money is refused")
    parser.add_argument("--symbol", default=SYMBOL, help="a linear perpetual")
    parser.add_argument("--endpoint", help="of a practice market on this machine")
    parser.add_argument("--source-address", help="the address to leave from, for tests")
    parser.add_argument("--out", type=Path, default=Path(), help="folder for the report")
    parser.add_argument("--key-file", type=Path, default=default_path(), help="the tester's key")
    parser.add_argument("--yes", action="store_true", help="do not ask before the first request")
    parser.add_argument("--verify", type=Path, metavar="REPORT", help="check a report instead")
    parser.add_argument("--public-key", help="with --verify: the key it must be signed with")
    parser.add_argument("--bundle", type=Path, help="with --verify: the bundle to compare with")
    return parser


def _verify(options: argparse.Namespace) -> int:
    good, told = verify(options.verify, public_key=options.public_key, bundle=options.bundle)
    sys.stdout.write("\n".join(told) + "\n")
    return PASSED if good else NOT_PASSED


def _certify(options: argparse.Namespace) -> int:
    if options.exchange is None:
        raise Operational(f"name an exchange with --exchange: {', '.join(VENUES)}")
    endpoint = needs.endpoint_of(options.exchange, options.env, options.endpoint)
    key = key_of_tester(options.key_file)
    try:
        options.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Operational(f"--out cannot be used: {error}") from error
    sys.stdout.write(needs.said(options.exchange, options.symbol))
    try:
        _consent(asked=not options.yes)
        credentials = _credentials(options.exchange)
    except (KeyboardInterrupt, EOFError):
        raise Operational("stopped; nothing was asked of the venue") from None
    began = datetime.now(UTC)
    with tempfile.TemporaryDirectory(prefix="certification-") as folder:
        place = Place(
            options.exchange,
            options.symbol,
            Path(folder),
            credentials,
            endpoint,
            options.source_address,
        )
        outcome = asyncio.run(certify(place, _tell))
    told = report.of(outcome, place, options.env, began, datetime.now(UTC))
    _write(options.out, signed(told, key))
    sys.stdout.write(f"signed by the key {fingerprint(public_of(key))}\n")
    return _status(outcome)


def _consent(*, asked: bool) -> None:
    if not asked:
        return
    if not sys.stdin.isatty():
        raise Operational("nobody is there to be asked; say --yes, or start it in a terminal")
    if input("Go on? [y/N] ").strip().lower() not in ("y", "yes"):
        raise Operational("declined; nothing was asked of the venue")


def _credentials(exchange: str) -> Credentials:
    """From the environment or a prompt, never from the command line, which others can read."""
    names = [_KEY, _SECRET, *([_PHRASE] if exchange in _WITH_PASSPHRASE else [])]
    found = {name: os.environ.get(name, "").strip() for name in names}
    missing = [name for name, value in found.items() if not value]
    if missing and not sys.stdin.isatty():
        raise Operational(f"set {' and '.join(missing)}, or start it in a terminal to be asked")
    for name in missing:
        found[name] = getpass.getpass(f"{name}: ").strip()
    if not all(found.values()):
        raise Operational("without a key nothing can be certified; nothing was asked of the venue")
    return Credentials(*found.values())


def _tell(line: str) -> None:
    sys.stdout.write(f"{datetime.now(UTC):%H:%M:%S} {line}\n")
    sys.stdout.flush()


def _write(folder: Path, envelope: dict[str, Any]) -> None:
    """What was seen is said, even where it cannot be kept."""
    told = envelope["report"]
    ended = "".join(c for c in told["ended_at"][:19] if c.isalnum())
    name = f"certification-{told['exchange']}-{told['environment']}-{ended}Z"
    try:
        for suffix, text in (
            ("json", canonical(envelope).decode() + "\n"),
            ("html", page(envelope)),
        ):
            path = folder / f"{name}.{suffix}"
            path.write_text(text, encoding="utf-8")
            sys.stdout.write(f"wrote {path}\n")
    except OSError as error:
        sys.stderr.write(f"the report could not be written: {error}; here it is\n")
        sys.stdout.write(canonical(envelope).decode() + "\n")


def _status(outcome: Outcome) -> int:
    for sentence in outcome.left:
        sys.stderr.write(f"{sentence}\n")
    if outcome.left:
        return LEFT
    if outcome.stopped:
        return STOPPED
    sys.stdout.write(f"{'certified' if outcome.passed else 'not certified'}\n")
    return PASSED if outcome.passed else NOT_PASSED
