from pathlib import Path

from app.cli import COMMANDS, reference


def test_the_page_is_what_the_commands_say():
    told = Path("docs/commands.md").read_text()
    assert told == reference.reference(), "run: python -m app.cli reference > docs/commands.md"


def test_every_command_explains_itself(house):
    told = reference.reference()
    for command in COMMANDS:
        assert command.help, command.name
        assert f"## {command.name}" in told
        assert house.app.cli.get_command(None, command.name) is command
