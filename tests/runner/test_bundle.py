"""The deployed archive: reproducible, cached, whole, and itself all it imports of ours."""

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from runner.bundle import _REWRITTEN, build
from runner.errors import Operational

ROOT = Path(__file__).parents[2]


def run_build(out, seed):
    return json.loads(
        subprocess.run(
            [sys.executable, "-m", "runner", "bundle", "--exchange", "practice", "--out", out],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    )


def test_two_builds_are_the_same_byte_for_byte(tmp_path):
    first, second = run_build(tmp_path / "a", "1"), run_build(tmp_path / "b", "2")
    contents = [Path(answer["path"]).read_bytes() for answer in (first, second)]
    assert contents[0] == contents[1]
    assert first["sha256"] == second["sha256"] == hashlib.sha256(contents[0]).hexdigest()
    assert first["size"] == len(contents[0])
    assert Path(first["path"]).name == f"{first['sha256']}.pyz"


def test_the_same_inputs_are_built_once_and_damage_is_repaired(pyz, tmp_path):
    shutil.copytree(Path(pyz).parent, tmp_path, dirs_exist_ok=True)
    path = Path(build("practice", tmp_path)["path"])
    assert path.read_bytes() == Path(pyz).read_bytes()
    before = path.stat().st_mtime_ns
    build("practice", tmp_path)
    assert path.stat().st_mtime_ns == before
    good = path.read_bytes()
    path.write_bytes(good[:-1])
    assert Path(build("practice", tmp_path)["path"]).read_bytes() == good


def test_an_unknown_exchange_is_refused_with_the_choice(tmp_path):
    with pytest.raises(Operational, match="choose practice"):
        build("mtgox", tmp_path)


def test_ccxt_goes_in_lean(pyz):
    names = zipfile.ZipFile(pyz).namelist()
    assert "ccxt/async_support/binanceusdm.pyc" in names
    assert not any("kraken" in name or "static_dependencies" in name for name in names)
    assert [name for name in names if not name.endswith(".pyc")] == ["__main__.py"]
    assert "runner/bundle.pyc" not in names


def test_what_listens_adds_less_than_a_tenth_of_a_megabyte(pyz):
    listening = [
        entry.compress_size
        for entry in zipfile.ZipFile(pyz).infolist()
        if entry.filename.startswith(("ccxt/pro/", "runner/streams", "runner/exchange/listener"))
    ]
    assert len(listening) == 5
    assert sum(listening) < 100_000


def test_ccxt_goes_in_unmodified(pyz):
    root = Path(importlib.util.find_spec("ccxt").origin).parent
    archive = zipfile.ZipFile(pyz)
    names = [n for n in archive.namelist() if n.startswith("ccxt/") and n[:-1] not in _REWRITTEN]
    assert len(names) > 15
    for name in names:
        source = (root.parent / name[:-1]).read_bytes()
        # PEP 552: bytes 8 to 16 of a hash-based .pyc are the hash of its source.
        assert archive.read(name)[8:16] == importlib.util.source_hash(source), name


def test_everything_of_ours_comes_from_the_archive(pyz):
    probe = """
import json, runpy, sys
sys.path.insert(0, sys.argv[1])
import runner.boot, ccxt.pro.binanceusdm
ccxt.pro.binanceusdm.binanceusdm.describe
ours = {n: m.__file__ for n, m in sys.modules.items()
        if n.split(".")[0] in ("runner", "ccxt") and getattr(m, "__file__", None)}
print(json.dumps(ours))
"""
    # Run where a checkout and a full ccxt are at hand: the archive must win over both.
    answer = subprocess.run(
        [sys.executable, "-I", "-c", probe, pyz],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    ours = json.loads(answer.stdout)
    assert {"runner.loop", "ccxt.async_support.binance", "ccxt.pro.binance"} <= set(ours)
    assert all(path.startswith(pyz) for path in ours.values())


def test_without_its_environment_it_says_what_is_missing(pyz):
    done = subprocess.run(
        [sys.executable, "-I", pyz], env={}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "set PLUTARC_GATE" in done.stderr
