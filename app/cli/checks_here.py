"""Checks of this machine: settings, directory, disk, keys."""

import os
import shutil
import tempfile

from app.cli.base import reading
from app.cli.finding import Finding, Look, fail, ok, warn
from app.config import SettingsError, read_master_keys
from app.domain import rotation
from app.domain.venues import VENUES
from app.gateways.vault import Opener, Sealer, VaultError, public_key_of
from app.settings import is_loopback
from runner.protocol import Mode

_MIB = 1024 * 1024
_FULL, _SCARCE = 200 * _MIB, 1024 * _MIB
_GROUP_AND_OTHERS = 0o077


def settings(look: Look) -> Finding:
    """That a command runs at all means that what is set is sound; web needs two keys as well."""
    config = look.config
    for name, key in (
        ("SECRET_KEY", config.secret_key),
        ("SEAL_PUBLIC_KEY", config.seal_public_key),
    ):
        if not key:
            return fail(f"{name} is not set, so web does not start", "see the README's settings")
    public = not is_loopback(config.host) or config.trusted_hosts[0] not in (
        "127.0.0.1",
        "localhost",
    )
    if public and not config.base_url.startswith("https://"):
        return warn(
            f"people sign in over plain http at {config.base_url}", "set BASE_URL=https://…"
        )
    redirected = [name for name in config.exchange_endpoints if _is_live(name)]
    if redirected:
        return warn(
            f"EXCHANGE_ENDPOINTS names {', '.join(redirected)}: live bots are given none of it and "
            "reach the exchange's own hosts alone",
            "leave out what has a live mode, unless its testnet bots need it",
        )
    return ok(f"read, for {config.base_url}")


def _is_live(exchange: str) -> bool:
    venue = VENUES.get(exchange)
    return venue is not None and Mode.LIVE in venue.modes


def directory(look: Look) -> Finding:
    """What an installation writes, it must be able to write, and others must not read its keys."""
    home = look.config.var_dir
    if not home.is_dir():
        return fail(f"{home} does not exist", "set VAR_DIR, or make it")
    with tempfile.TemporaryFile(dir=home):
        pass
    if home.stat().st_uid != os.geteuid():
        return warn(f"{home} belongs to another user", f"chown it, or run as user {home.owner()}")
    keys = home / "secrets"
    if keys.is_dir() and keys.stat().st_mode & _GROUP_AND_OTHERS:
        return fail(f"others can look into {keys}", f"chmod 700 {keys}")
    return ok(f"{home} is writable")


def disk(look: Look) -> Finding:
    """Room for the database, logs and the disks of local machines."""
    free = shutil.disk_usage(look.config.var_dir).free
    said = f"{free // _MIB} MiB free"
    if free < _FULL:
        return fail(said, "make room now: a database on a full disk loses what comes next")
    if free < _SCARCE:
        return warn(said, "make room")
    return ok(said)


def master_keys(look: Look) -> Finding:
    """Whether all that is sealed can be opened, where this process may know."""
    try:
        keys = read_master_keys(os.environ)
    except SettingsError:
        kept = os.access(look.config.var_dir / "secrets" / "MASTER_KEYS", os.R_OK)
        if kept or any(os.environ.get(name) for name in ("MASTER_KEYS", "MASTER_KEYS_FILE")):
            raise
        return ok("not given to this process, so not looked at")
    opener = Opener(keys)
    if not look.config.seal_public_key:
        return fail("SEAL_PUBLIC_KEY is not set", f"set it to {public_key_of(keys[0])}")
    try:
        opener.open(Sealer(look.config.seal_public_key).seal({}, "doctor"), "doctor")
    except VaultError:
        return fail(
            "what web seals now cannot be opened",
            "put the key that belongs to SEAL_PUBLIC_KEY into MASTER_KEYS",
        )
    reading()
    closed = rotation.unreadable(opener)
    if closed:
        named = ", ".join(item.connection_id for item in closed[:5])
        return fail(
            f"{len(closed)} connections cannot be opened: {named}",
            "add the key they were sealed with to MASTER_KEYS",
        )
    if public_key_of(keys[0]) != look.config.seal_public_key:
        return warn("SEAL_PUBLIC_KEY is not that of the first key", "set it, then rotate-keys")
    return ok(f"{len(keys)} open everything that is sealed")
