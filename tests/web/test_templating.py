import flask
import pytest
from flask import g

from tests.site import build


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    return build(tmp_path_factory.mktemp("templating"))


class Member:
    def __init__(self, workspace_id):
        self.workspace_id = workspace_id


CALLS = [
    ("bots.show", {"bot_id": "bot_a"}),
    ("bots.show", {"bot_id": "bot_b"}),
    (".index", {}),
    ("bots.tab", {"bot_id": "bot_a", "tab": "orders", "v": 1}),
    ("bots.tab", {"bot_id": "bot_a", "tab": "orders", "v": True}),
    ("bots.index", {"workspace": "wsp_other"}),
    ("bots.index", {"_anchor": "main"}),
    ("bots.index", {"_external": True}),
    ("bots.index", {"_external": True, "_scheme": "https"}),
]
PLACES = [
    ("/w/wsp_a/bots", "wsp_a", {}),
    ("/w/wsp_b/bots", "wsp_b", {}),
    ("/w/wsp_a/connections", "wsp_a", {}),
    ("/w/wsp_a/bots", "wsp_a", {"base_url": "http://localhost/under/a/path/"}),
]


def test_a_remembered_address_is_flasks_own(app):
    ours = app.jinja_env.globals["url_for"]
    for _ in range(2):
        for path, workspace, options in PLACES:
            with app.test_request_context(path, **options):
                g.member = Member(workspace)
                for endpoint, values in CALLS:
                    assert ours(endpoint, **values) == flask.url_for(endpoint, **values)


def test_a_template_keeps_its_globals_to_itself(app):
    with app.test_request_context("/"):
        mine = app.jinja_env.from_string("{{ thing }} {{ app_name }}", {"thing": "mine"})
        assert mine.render() == "mine plutarc"
        assert "thing" not in app.jinja_env.globals
