"""What a machine of a cloud is given to start with."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

_SCRIPT = Path(__file__).with_name("startup.sh")


@cache
def startup_script() -> str:
    """The script; the same for every machine, since its values come from the metadata."""
    return _SCRIPT.read_text(encoding="utf-8")


def metadata(environment: dict[str, str], bundle_sha: str, bundle_url: str) -> dict[str, str]:
    """The items a machine reads: no key of an exchange, only what its one claim needs.

    The bundle is compiled for the minor version of this interpreter, which is therefore named.
    """
    given = {
        name.lower().replace("_", "-"): value
        for name, value in environment.items()
        if name.startswith("PLUTARC_")
    }
    return (
        {"plutarc-work": "bot", "plutarc-code": "0"}
        | given
        | {
            "plutarc-bundle": bundle_sha,
            "plutarc-bundle-url": bundle_url,
            "plutarc-python": ".".join(map(str, sys.version_info[:2])),
            "startup-script": startup_script(),
        }
    )
