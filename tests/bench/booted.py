"""What the fake cloud does when a machine starts to run: it tells whoever plays runners."""

from __future__ import annotations

import os
import socket
from typing import Any

DOOR = "PLUTARC_BENCH_DOOR"


def boot(instance: dict[str, Any]) -> str:
    """Send what the machine was given to the door; the answer is the machine's name."""
    items = {it["key"]: it["value"] for it in instance["metadata"]["items"]}
    ip = instance["networkInterfaces"][0]["accessConfigs"][0]["natIP"]
    told = [items["plutarc-bot"], items["plutarc-generation"], items["plutarc-token"], ip]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.connect(os.environ[DOOR])
        sender.send(" ".join(told).encode())
    return str(instance["name"])
