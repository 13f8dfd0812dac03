import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from app.gateways.vault import (
    Opener,
    Sealer,
    Tampered,
    UnknownKey,
    VaultError,
    WrongContext,
    generate,
)

FIELDS = st.dictionaries(st.text(max_size=20), st.text(max_size=60), max_size=4)
few = settings(max_examples=25, deadline=None)


@few
@given(FIELDS, st.text(max_size=40))
def test_what_was_sealed_opens_in_its_own_place(fields, context):
    private, public = generate()
    assert Opener([private]).open(Sealer(public).seal(fields, context), context) == fields


@few
@given(st.text(max_size=40), st.text(max_size=40))
def test_a_value_moved_elsewhere_does_not_open(context, other):
    private, public = generate()
    sealed = Sealer(public).seal({"secret": "s3cret"}, context)
    if context != other:
        with pytest.raises(WrongContext):
            Opener([private]).open(sealed, other)


@few
@given(st.data())
def test_no_byte_can_be_changed(data):
    private, public = generate()
    sealed = bytearray(Sealer(public).seal({"secret": "s3cret"}, "ws|con"))
    position = data.draw(st.integers(0, len(sealed) - 1))
    sealed[position] ^= data.draw(st.integers(1, 255))
    with pytest.raises(VaultError) as caught:
        Opener([private]).open(bytes(sealed), "ws|con")
    assert "s3cret" not in repr(caught.value)


@few
@given(st.binary(max_size=200))
def test_rubbish_is_refused(rubbish):
    with pytest.raises(VaultError):
        Opener([generate()[0]]).open(rubbish, "ws|con")


def test_any_prefix_is_refused():
    private, public = generate()
    sealed = Sealer(public).seal({"a": "b"}, "c")
    for length in range(len(sealed)):
        with pytest.raises(Tampered):
            Opener([private]).open(sealed[:length], "c")


def test_two_sealings_of_the_same_share_nothing_secret():
    _, public = generate()
    first, second = (Sealer(public).seal({"a": "b"}, "c") for _ in range(2))
    assert first[:28] == second[:28]
    assert first[28:60] != second[28:60]
    assert first[60:] != second[60:]


def test_rotation_keeps_old_values_readable():
    (old, old_public), (new, new_public) = generate(), generate()
    before, after = (Sealer(key).seal({"a": "b"}, "c") for key in (old_public, new_public))
    rotated = Opener([new, old])
    assert rotated.open(before, "c") == rotated.open(after, "c") == {"a": "b"}
    with pytest.raises(UnknownKey):
        Opener([new]).open(before, "c")


def test_the_pair_belongs_together_and_is_hidden():
    private, public = generate()
    raw = X25519PrivateKey.from_private_bytes(base64.b64decode(private))
    assert base64.b64encode(raw.public_key().public_bytes_raw()).decode() == public
    assert private not in repr(Opener([private]))
    assert private not in repr(vars(Opener([private])))


def test_an_ephemeral_key_of_low_order_is_refused():
    private, public = generate()
    sealed = Sealer(public).seal({"a": "b"}, "c")
    with pytest.raises(Tampered):
        Opener([private]).open(sealed[:28] + bytes(32) + sealed[60:], "c")
