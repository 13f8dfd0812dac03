"""RFC 6238 appendix B (SHA-1) and RFC 4226 appendix D, as the RFCs print them."""

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from app.domain import totp

SEED = b"12345678901234567890"
RFC_6238 = {
    59: "94287082",
    1111111109: "07081804",
    1111111111: "14050471",
    1234567890: "89005924",
    2000000000: "69279037",
    20000000000: "65353130",
}
RFC_4226 = [
    "755224",
    "287082",
    "359152",
    "969429",
    "338314",
    "254676",
    "287922",
    "162583",
    "399871",
    "520489",
]


@pytest.mark.parametrize("moment", RFC_6238)
def test_time_based_vectors(moment):
    now = datetime.fromtimestamp(moment, UTC)
    assert totp.code(SEED, totp.step_at(now), digits=8) == RFC_6238[moment]


def test_counter_based_vectors():
    assert [totp.code(SEED, counter) for counter in range(10)] == list(RFC_4226)


def test_one_step_early_or_late_is_taken_and_no_more():
    now = datetime.fromtimestamp(1_800_000_015, UTC)
    here = totp.step_at(now)
    for apart in (-2, -1, 0, 1, 2):
        found = totp.matching_step(SEED, totp.code(SEED, here + apart), now)
        assert found == (here + apart if abs(apart) < 2 else None)
    for typed in ("", "1", "abcdef", "12345é", "1234567"):
        assert totp.matching_step(SEED, typed, now) is None


def test_the_address_is_what_apps_read():
    found = urlsplit(totp.address(SEED, issuer="plutarc", account="a+b@example.com"))
    assert (found.scheme, found.netloc) == ("otpauth", "totp")
    assert found.path == "/plutarc%3Aa%2Bb%40example.com"
    query = parse_qs(found.query)
    assert query["secret"] == ["GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"]
    assert query["algorithm"] == ["SHA1"]
    assert len(totp.new_seed()) == 20
