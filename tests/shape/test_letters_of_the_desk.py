"""Letters to owners of tickets cannot know of notes: what writes them never heard of them."""

import ast

import pytest

from app.models import desk
from tests.shape import source

DESK = {name for name in vars(desk) if isinstance(vars(desk)[name], type)} - {"datetime", "Any"}
INSIDE = {"notes", "desk_values", "letters_desk"}
HOME = source.ROOT / "app" / "domain" / "support"


def imported(path):
    """Every name that a module takes from anywhere, and the modules it names."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            yield from (alias.name for alias in node.names)
            yield (node.module or "").rpartition(".")[2]
        elif isinstance(node, ast.Import):
            yield from (alias.name.rpartition(".")[2] for alias in node.names)


@pytest.mark.parametrize("name", ["letters_out", "owner_values", "recipients", "threads"])
def test_what_writes_to_owners_takes_nothing_of_the_desks(name):
    found = set(imported(HOME / f"{name}.py"))
    assert "Ticket" in found
    assert not found & (DESK | INSIDE)


def test_the_look_would_find_it():
    assert set(imported(HOME / "desk_values.py")) & DESK == {"NoteFile", "TicketNote"}


def test_letters_to_owners_have_templates_that_show_no_note():
    mails = source.ROOT / "templates" / "mail"
    for path in mails.glob("ticket_*"):
        assert "note" not in path.read_text().replace("notes_", ""), path.name
