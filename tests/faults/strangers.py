"""Things in the project that this installation did not make, asked for as anybody would."""

import json
import urllib.request

from tests.fakes.gce import Behaviour
from tests.faults.stage import REGION, ZONES
from tests.waiting import PATIENCE


def ask(cloud, path, body):
    """One request to the cloud, and what it leads to is over."""
    url = f"{cloud.url}/compute/v1/projects/{Behaviour().project}/{path}"
    given = json.dumps(body).encode()
    asked = urllib.request.Request(url, given, {"Content-Type": "application/json"}, method="POST")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(asked, timeout=PATIENCE) as answer:
        json.load(answer)
    cloud.advance(1)


def address(life, *, env="faults", tier="STANDARD"):
    """An address of the bot's name, of an earlier life or of another installation."""
    labels = {"managed-by": "plutarc", "env": env, "bot": life.bot_id}
    body = {"name": life.address_name, "addressType": "EXTERNAL", "networkTier": tier}
    ask(life.cloud, f"regions/{REGION}/addresses", body | {"labels": labels})


def machine(life, name, *, env):
    """A running machine with an address of the cloud's choice."""
    ask(
        life.cloud,
        f"zones/{ZONES[0]}/instances",
        {
            "name": name,
            "machineType": f"zones/{ZONES[0]}/machineTypes/e2-micro",
            "labels": {"managed-by": "plutarc", "env": env, "bot": f"{env}_{life.bot_id}"},
            "disks": [{"boot": True, "autoDelete": True, "initializeParams": {}}],
            "networkInterfaces": [{"accessConfigs": [{"type": "ONE_TO_ONE_NAT"}]}],
            "scheduling": {},
        },
    )
