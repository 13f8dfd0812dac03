"""Builds what is deployed: one reproducible, precompiled archive of the runner and a lean ccxt."""

from __future__ import annotations

import argparse
import hashlib
import importlib.metadata
import importlib.util
import io
import json
import marshal
import platform
import sys
import tempfile
import zipfile
from pathlib import Path
from types import CodeType

from runner.errors import Operational
from runner.exchange.quirks.catalog import UNLISTED, VENUES

_RUNNER = Path(__file__).parent
_NOT_DEPLOYED = ("bundle.py",)
_EPOCH = (1980, 1, 1, 0, 0, 0)

# ccxt's own package files import all of its hundred exchanges; these bring the base alone. Every
# other file of ccxt goes in unmodified. Its base class imports requests for synchronous use only;
# the names stand in, at a sixth of the start's processor time and some megabytes less.
_REWRITTEN = {
    "ccxt/__init__.py": (
        "from ccxt.base import errors\n"
        "from ccxt.base.errors import *\n"
        "from ccxt.base.exchange import Exchange\n"
    ),
    "ccxt/abstract/__init__.py": "",
    "ccxt/async_support/__init__.py": (
        "from ccxt.async_support.base.exchange import Exchange\nfrom ccxt.base.errors import *\n"
    ),
    "ccxt/pro/__init__.py": "",
    "requests/__init__.py": (
        "class Session:\n"
        "    def __init__(self):\n"
        "        raise RuntimeError('a runner speaks to venues asynchronously only')\n"
    ),
    "requests/utils.py": "def default_user_agent():\n    return ''\n",
    "requests/exceptions.py": (
        "class RequestException(OSError): pass\n"
        "class HTTPError(RequestException): pass\n"
        "class ConnectionError(RequestException): pass\n"
        "class Timeout(RequestException): pass\n"
        "class TooManyRedirects(RequestException): pass\n"
    ),
}
_PARENTS = {"binanceusdm": ("binance",), "kucoinfutures": ("kucoin",)}
_MAIN = """\
import sys
if sys.version_info[:2] != {version!r} or sys.implementation.name != {implementation!r}:
    sys.exit("this bundle was built for {label}; start it with that interpreter")
from runner.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


def build(exchange: str, out: Path) -> dict[str, str | int]:
    """Write ``<sha256>.pyz`` into ``out``, or find it there; path, sha256 and size.

    The archive depends on nothing but the sources, the interpreter's minor version and the
    architecture: two builds are byte for byte the same.
    """
    classes = VENUES | UNLISTED
    if exchange not in classes:
        raise Operational(f"there is no exchange {exchange!r}; choose {', '.join(VENUES)}")
    sources = _sources(classes[exchange])
    key = _key(exchange, sources)
    found = _cached(out, key)
    if found is not None:
        return found
    content = _archive(sources)
    digest = hashlib.sha256(content).hexdigest()
    _write(out / f"{digest}.pyz", content)
    _write(out / f"{key}.json", json.dumps({"sha256": digest}).encode())
    return _answer(out / f"{digest}.pyz", digest, len(content))


def command(arguments: list[str]) -> int:
    """``python -m runner bundle --exchange X --out DIR``: prints one line of JSON."""
    parser = argparse.ArgumentParser(prog="python -m runner")
    commands = parser.add_subparsers(dest="command", required=True)
    bundle = commands.add_parser("bundle", help="build the archive a bot's machine runs")
    bundle.add_argument("--exchange", required=True)
    bundle.add_argument("--out", required=True, type=Path)
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    try:
        print(json.dumps(build(options.exchange, options.out)))  # noqa: T201 - the command's answer
    except Operational as error:
        print(error, file=sys.stderr)  # noqa: T201 - the command's answer
        return 2
    return 0


def _sources(ccxt_id: str) -> dict[str, bytes]:
    """Path in the archive to source text."""
    files = {
        f"runner/{path.relative_to(_RUNNER).as_posix()}": path.read_bytes()
        for path in sorted(_RUNNER.rglob("*.py"))
        if path.name not in _NOT_DEPLOYED
    }
    # Located without importing it: that alone would take half a second and 100 MB.
    spec = importlib.util.find_spec("ccxt")
    if spec is None or spec.origin is None:
        raise Operational("ccxt is not installed; install the pinned requirements")
    root = Path(spec.origin).parent
    wanted = [*sorted((root / "base").glob("*.py"))]
    wanted += sorted((root / "async_support" / "base").rglob("*.py"))
    names = (*_PARENTS.get(ccxt_id, ()), ccxt_id)
    for name in names:
        wanted += [root / part / f"{name}.py" for part in ("abstract", "async_support", "pro")]
    for path in wanted:
        files[f"ccxt/{path.relative_to(root).as_posix()}"] = path.read_bytes()
    return {**files, **{name: text.encode() for name, text in _rewritten(names).items()}}


def _rewritten(names: tuple[str, ...]) -> dict[str, str]:
    """Where ccxt's streams look for the classes they extend, as they stand in its own file."""
    package = "ccxt/async_support/__init__.py"
    classes = "".join(f"from ccxt.async_support.{name} import {name}\n" for name in names)
    return {**_REWRITTEN, package: _REWRITTEN[package] + classes}


def _archive(sources: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        main = _MAIN.format(
            version=tuple(sys.version_info[:2]),
            implementation=sys.implementation.name,
            label=f"{platform.python_implementation()} {'.'.join(map(str, sys.version_info[:2]))}",
        )
        _add(archive, "__main__.py", main.encode())
        for name in sorted(sources):
            _add(archive, f"{name}c", _compile(name, sources[name]))
    return buffer.getvalue()


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, content, compresslevel=9)


def _compile(name: str, source: bytes) -> bytes:
    """A .pyc with an unchecked source hash (PEP 552): valid whatever the clock says.

    marshal marks an object as shared if anything else refers to it, and a string if it is
    interned; names are shared with whatever this process has loaded, and so are strings of one
    character. With all parts held and those interned here, each is marked, always.
    """
    interned = [sys.intern(chr(number)) for number in range(256)]
    code = compile(source, name, "exec", dont_inherit=True, optimize=0)
    held = _parts(code)
    body = marshal.dumps(code)
    del held, interned
    flags = (1).to_bytes(4, "little")
    return importlib.util.MAGIC_NUMBER + flags + importlib.util.source_hash(source) + body


def _parts(value: object) -> list[object]:
    """Everything a code object is made of, down to the last constant."""
    if isinstance(value, CodeType):
        names = (value.co_varnames, value.co_freevars, value.co_cellvars)
        inner: list[object] = [value.co_consts, value.co_names, *names]
        inner += [value.co_filename, value.co_name, value.co_qualname]
        inner += [value.co_linetable, value.co_exceptiontable]
    elif isinstance(value, tuple | frozenset):
        inner = list(value)
    else:
        inner = []
    return [value, *inner, *(part for item in inner for part in _parts(item))]


def _key(exchange: str, sources: dict[str, bytes]) -> str:
    """Names the inputs: sources, interpreter, architecture, and this recipe."""
    digest = hashlib.sha256(Path(__file__).read_bytes())
    marks = (exchange, sys.implementation.cache_tag or "", platform.machine(), _ccxt_version())
    for mark in marks:
        digest.update(mark.encode() + b"\0")
    for name in sorted(sources):
        digest.update(name.encode() + b"\0" + hashlib.sha256(sources[name]).digest())
    return digest.hexdigest()[:32]


def _ccxt_version() -> str:
    return importlib.metadata.version("ccxt")


def _cached(out: Path, key: str) -> dict[str, str | int] | None:
    """The archive an earlier call made from the same inputs, if it is whole."""
    try:
        digest = str(json.loads((out / f"{key}.json").read_bytes())["sha256"])
        path = out / f"{digest}.pyz"
        content = path.read_bytes()
    except (OSError, ValueError, KeyError):
        return None
    if hashlib.sha256(content).hexdigest() != digest:
        return None
    return _answer(path, digest, len(content))


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, also when two builds race."""
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(content)
    Path(file.name).chmod(0o644)
    Path(file.name).replace(path)


def _answer(path: Path, digest: str, size: int) -> dict[str, str | int]:
    return {"path": str(path.resolve()), "sha256": digest, "size": size}
