import ast
import re

from app.setting_names import SETTINGS, table
from tests.shape import source

# Spelt in two halves, so that this file does not find itself.
UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")
SOMEBODYS_PATH = re.compile(r"/(wo" + r"rk|ro" + r"ot|ho" + r"me/\w+|Us" + r"ers/\w+)/")


def told(faults, cure):
    assert not faults, f"{cure}:\n" + "\n".join(faults)


def test_every_module_has_a_door_plate():
    faults = [
        source.name(path)
        for path, tree in source.python("app", "runner")
        if tree.body and not ast.get_docstring(tree)
    ]
    told(faults, "Say in one line at its top what each of these modules is")


def found(pattern):
    return [
        f"{source.name(path)}:{number}: {line.strip()[:80]}"
        for path, text in source.texts()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def test_nothing_is_left_for_later():
    told(found(UNFINISHED), "Finish these, or open an issue and take the line out")


def test_no_path_of_somebody_s_machine():
    told(found(SOMEBODYS_PATH), "Write these paths relative to the checkout")


def test_the_readme_lists_every_setting():
    readme = (source.ROOT / "README.md").read_text()
    assert table() in readme, (
        "Put this into README.md, under Settings, instead of the table there:\n\n" + table()
    )


def test_every_setting_is_read_and_every_setting_read_is_listed():
    code = "".join(
        (source.ROOT / "app" / name).read_text()
        for name in ("config.py", "compute_settings.py", "desk_settings.py", "settings.py")
    )
    read = set(re.findall(r'(?:read\.\w+|environ\.get)\(\s*"([A-Z_]+)"', code))
    listed = {setting.name for setting in SETTINGS}
    assert listed - read == set(), "Read these settings or take them out of SETTINGS"
    assert {name.removesuffix("_FILE") for name in read} - listed == set(), "List these in SETTINGS"
