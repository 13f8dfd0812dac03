"""A fake cloud with a virtual clock and the real driver, client library and all."""

import uuid
from dataclasses import replace

from app.gateways.compute.driver import Outcome, Step, StepKind
from app.gateways.compute.gce import GceDriver
from app.gateways.compute.gce_settings import GceSettings

REGION, ZONE, OTHER_ZONE = "europe-west1", "europe-west1-b", "europe-west1-c"
TOKEN = "t0ken-Zx98q"


def settings(cloud, **changes):
    given = GceSettings(
        project=cloud.behaviour.project,
        regions=(REGION, "us-central1"),
        env_label="test",
        endpoint=cloud.url,
        credentials="anonymous",
    )
    return replace(given, **changes)


class GceWorld:
    def __init__(self, cloud):
        self.cloud = cloud
        self.driver = self.another()

    def another(self, **changes):
        """A driver of another process, or of another installation."""
        return GceDriver(settings(self.cloud, **changes), lambda _step: {"plutarc-token": TOKEN})

    def step(self, kind, generation=1, bot="bot_one", **changes):
        short = bot.removeprefix("bot_")
        values = {
            "kind": StepKind(kind),
            "request_id": str(uuid.uuid4()),
            "bot": bot,
            "region": REGION,
            "address_name": f"b-{short}-ip",
            "machine_name": f"b-{short}-g{generation}",
            "generation": generation,
            "zone": ZONE,
        }
        return Step(**(values | changes))

    def do(self, kind, **changes):
        return self.driver.do(self.step(kind, **changes))

    def finish(self, kind, **changes):
        """A step and all that it takes until the cloud is done with it."""
        step = self.step(kind, **changes)
        result = self.driver.do(step)
        for _ in range(100):
            if result.outcome is not Outcome.PENDING:
                return result
            assert result.operation
            self.cloud.advance(0.3)
            result = self.driver.do(replace(step, operation=result.operation))
        raise AssertionError("it never ends")

    def reserved(self, **changes):
        """A reserved address."""
        result = self.finish("reserve_address", **changes)
        assert result.outcome is Outcome.DONE, result
        return result.ip

    def running(self, **changes):
        """A running machine at a reserved address."""
        ip = self.reserved(**{k: v for k, v in changes.items() if k == "bot"})
        result = self.finish("insert_machine", ip=ip, **changes)
        assert result.outcome is Outcome.DONE, result
        return ip

    def instances(self):
        return self.cloud.snapshot()["instances"]

    def changes(self):
        return [f"{call['verb']} {call['path'].split('/')[-1]}" for call in self.cloud.calls()]
