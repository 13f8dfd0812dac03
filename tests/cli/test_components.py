from pathlib import Path

from app.cli import components
from runner.strategy import COMPONENTS


def test_the_page_is_what_the_schemas_say():
    told = Path("docs/components.md").read_text()
    assert told == components.reference(), "run: python -m app.cli components > docs/components.md"


def test_every_component_and_parameter_stands_on_it():
    told = components.reference()
    for spec in COMPONENTS.values():
        assert f"### {spec.title}\n\n`{spec.kind}`. {spec.summary}" in told
        for parameter in spec.parameters:
            assert f"(`{parameter.name}`)" in told
