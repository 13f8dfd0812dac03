import json

from app.domain.access import MATRIX, Permission
from app.models import Role


def test_json_holds_the_matrix_and_every_route(house):
    found = json.loads(house.run("permissions", "--json").output)
    assert list(found["permissions"]) == [right.value for right in Permission]
    counts = [sum(role in held for held in found["permissions"].values()) for role in Role]
    assert counts == [len(MATRIX[role]) for role in Role] == [5, 19, 24, 32, 34]
    assert len(found["routes"]) == len(list(house.app.url_map.iter_rules()))
    by_rule = {(r["rule"], *r["methods"]): r["guard"] for r in found["routes"]}
    assert by_rule["/healthz", "GET"] == "public"
    assert by_rule["/w/<workspace>/audit", "GET"] == "audit.view"


def test_every_guard_is_a_permission_or_a_kind(house):
    found = json.loads(house.run("permissions", "--json").output)
    kinds = {"public", "signed_in", "member", "operator", "runner", "webhook", "api"}
    assert {route["guard"] for route in found["routes"]} <= kinds | set(found["permissions"])


def test_the_table_is_for_people(house):
    told = house.run("permissions").output
    assert told.startswith("34 permissions\n")
    assert "connection.manage_live" in told
    assert "/w/<workspace>/audit" in told


def test_what_it_does_not_know_is_refused(house):
    refused = house.run("permissions", "--yaml")
    assert refused.exit_code == 2
    assert "--yaml" in refused.stderr
