import re

from tests.shape import source

NAMED = re.compile(r"""["']([\w./{}-]+\.(?:html|txt))["']""")
HOLE = re.compile(r"\\{\w+\\}")
STATUS = re.compile(r"\b[45]\d\d\b")
WORD = re.compile(r"""["'](\w+)["']""")


def code():
    return "\n".join(path.read_text() for path, _ in source.python("app"))


def named_by(text, templates, words):
    """The templates a text names; a hole in a name is filled by any word the code spells out."""
    for name in NAMED.findall(text):
        pattern = re.compile(HOLE.sub(r"(\\w+)", re.escape(name)))
        for template in templates:
            match = pattern.fullmatch(template)
            if match and set(match.groups()) <= words:
                yield template


def test_every_template_is_reached():
    templates = {
        str(path.relative_to(source.ROOT / "templates")): path
        for path in source.files("templates", ".html")
    }
    words = set(WORD.findall(code())) | set(STATUS.findall(code()))
    waiting, reached = [code()], set()
    while waiting:
        fresh = set(named_by(waiting.pop(), templates, words)) - reached
        reached |= fresh
        waiting += [templates[name].read_text() for name in fresh]
    unreached = sorted(set(templates) - reached)
    assert not unreached, "Use these templates or delete them:\n" + "\n".join(unreached)


def test_every_template_that_is_named_exists():
    missing = [
        f"{source.name(path)} names {name}"
        for path, text in source.texts()
        if path.suffix in (".py", ".html") and {"app", "templates"} & set(path.parts)
        for name in NAMED.findall(text)
        if "{" not in name and not (source.ROOT / "templates" / name).exists()
    ]
    assert not missing, "Write these templates or correct their names:\n" + "\n".join(missing)
