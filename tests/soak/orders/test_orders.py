"""The order soak in small: what it proves at a hundred thousand orders, for every change."""

from tests.soak.orders.__main__ import run
from tests.soak.orders.report import Outcome, page


def test_ledgers_agree_after_kills_and_faults(tmp_path):
    outcome = run(tmp_path, Outcome(seed=3, wanted=60, accounts=2, orders_a_blow=12))
    assert outcome.differences == []
    counts = outcome.counts
    assert counts["orders on the platform"] >= 60
    assert counts["fills on the platform"] == counts["fills at the venue"] > 0
    assert counts["fees on the platform"] == counts["fees at the venue"] > 0
    assert "no difference" in page(outcome, "here")[0]
