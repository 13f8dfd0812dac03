import base64

import pytest

from app.gateways import signing
from app.gateways.signing import Signer

# RFC 8032, section 7.1, test 2.
PRIVATE = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
PUBLIC = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
SIGNATURE = bytes.fromhex(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)


def text(raw):
    return base64.b64encode(raw).decode()


def test_it_is_the_ed25519_of_the_rfc():
    signer = Signer(text(PRIVATE))
    assert signer.public_key == text(PUBLIC)
    assert signer.sign(b"\x72") == text(SIGNATURE)
    assert signing.signed(b"\x72", text(SIGNATURE), text(PUBLIC))


@pytest.mark.parametrize(
    ("statement", "signature"),
    [(b"\x73", text(SIGNATURE)), (b"\x72", text(SIGNATURE[:-1] + b"\x01")), (b"\x72", "none")],
)
def test_anything_else_is_not_signed(statement, signature):
    assert not signing.signed(statement, signature, text(PUBLIC))


def test_another_key_signed_nothing():
    private, public = signing.generate()
    assert signing.public_key_of(private) == public
    assert not signing.signed(b"\x72", text(SIGNATURE), public)
    assert not signing.signed(b"\x72", text(SIGNATURE), "no key")


def test_a_signer_shows_its_name_and_not_its_key():
    private, public = signing.generate()
    assert private not in repr(Signer(private))
    assert repr(Signer(private)) == f"Signer({signing.key_id(public)})"
