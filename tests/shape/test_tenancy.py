"""Rows of workspaces are asked for in the domain alone, and looking across them takes a reason."""

import ast

from app.extensions import db
from app.models.base import Owned
from tests.shape import source

OWNED = {
    mapper.class_.__name__
    for mapper in db.Model.registry.mappers
    if issubclass(mapper.class_, Owned)
}
ASKING = {"get", "get_one", "scalar", "scalars", "execute", "query", "merge", "add", "add_all"}
PROBE = "app/views/health.py"
"""Asks whether the database answers, and for no row."""

ACCOUNTS = {"User", "LoginSession"}
"""Of no workspace: who is asking is found out before any is open."""

WHOLE = {"app/domain/relocation.py"}
"""Moves all tables as they are."""


def calls(tree):
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def called(call):
    """What is called, e.g. ``db.session.get``."""
    return ast.unparse(call.func)


def told(faults, cure):
    assert not faults, f"{cure}:\n" + "\n".join(faults)


def names(call):
    return {node.id for node in ast.walk(call) if isinstance(node, ast.Name)}


def test_pages_and_forms_ask_the_domain_and_never_the_database():
    faults = [
        f"{source.name(path)}:{call.lineno}: {ast.unparse(call)[:80]}"
        for path, tree in source.python("app")
        if source.name(path).startswith(("app/views/", "app/forms/", "app/web/"))
        if source.name(path) != PROBE
        for call in calls(tree)
        if (
            called(call) in {f"db.session.{verb}" for verb in ASKING} and not ACCOUNTS & names(call)
        )
        or called(call) in ("select", "update", "delete", "insert", "text", "db.select", "db.text")
    ]
    told(faults, "Let a verb or a finder of app/domain do this")


def test_commands_and_jobs_name_no_workspace_s_rows_in_a_query():
    faults = [
        f"{source.name(path)}:{call.lineno}: {ast.unparse(call)[:80]}"
        for path, tree in source.python("app")
        if source.name(path).startswith(("app/cli/", "app/jobs/"))
        for call in calls(tree)
        if called(call) in ("select", "update", "delete", *(f"db.session.{v}" for v in ASKING))
        and OWNED & names(call)
    ]
    told(faults, "Let a verb or a finder of app/domain do this")


def test_no_statement_goes_below_the_net():
    """Bare tables and text are not confined to a workspace; only the policies would hold them."""
    faults = [
        f"{source.name(path)}:{node.lineno}: {ast.unparse(node)[:80]}"
        for path, tree in source.python("app")
        if source.name(path).startswith("app/domain/") and source.name(path) not in WHOLE
        for node in ast.walk(tree)
        if (isinstance(node, ast.Attribute) and node.attr == "__table__")
        or (isinstance(node, ast.Call) and called(node) in ("text", "db.text"))
    ]
    told(faults, "Write these by the mapped class")


def test_looking_across_workspaces_says_why():
    found = [
        (f"{source.name(path)}:{call.lineno}", call.args)
        for path, tree in source.python("app")
        for call in calls(tree)
        if called(call) in ("tenancy.everywhere", "tenancy.open_everything")
    ]
    faults = [
        where
        for where, args in found
        if not (args and isinstance(args[0], ast.Constant) and len(args[0].value.split()) > 3)
    ]
    assert found
    told(faults, "Give the reason as a sentence")
