from app.practice import keys


def test_a_new_key_is_a_key_and_has_its_secret():
    key, secret = keys.new_key()
    assert keys.is_key(key)
    assert keys.secret_for(key) == secret
    assert key not in secret


def test_the_secret_is_the_agreed_one():
    """HMAC-SHA256 under the agreed text, computed once with ``openssl dgst``."""
    assert keys.secret_for("practice-0123456789abcdef") == (
        "c0b707a07bd8c51d05e59ba191cd0a33c038e531f327b9b857c3eac039c4a19a"
    )


def test_what_is_not_a_key():
    for text in ("", "practice-", "practice-0123", "practice-0123456789ABCDEF", "x" * 30):
        assert not keys.is_key(text)
    assert not keys.is_key("practice-0123456789abcdef\n")


def test_a_masked_key_cannot_be_used():
    key, _secret = keys.new_key()
    assert not keys.is_key(keys.masked(key))
    assert key not in keys.masked(key)
    assert key[9:] not in keys.account_of(key)
