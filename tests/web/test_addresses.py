import pytest

from app.web.addresses import safe_next

TRICKS = [
    "https://evil.example/",
    "//evil.example/",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\tevil",
    "/\nevil",
    "http:evil",
    "javascript:alert(1)",
    "/account\\@evil.example",
    "/nowhere",
    "account",
    "",
    None,
    "/\x00account",
    "/static/../account/x/y",
    " /account",
    "/account /x",
    "data:text/html,x",
    "/logout",
]


@pytest.mark.parametrize("target", TRICKS)
def test_nothing_but_a_page_of_ours(house, target):
    with house.app_context():
        assert safe_next(target) is None


@pytest.mark.parametrize("target", ["/account", "/w/ws_1/bots?x=1", "/help#top"])
def test_own_pages_are_fine(house, target):
    with house.app_context():
        assert safe_next(target) == target
