import ast

from tests.shape import source

FILE, FUNCTION, VIEW, TEMPLATE, SHEET = 300, 50, 15, 90, 220
CODE = ("app", "runner")
THE_WIRE = "runner/protocol.py"  # one document, which both of its sides read as a whole


def told(faults, cure):
    assert not faults, f"{cure}:\n" + "\n".join(faults)


def test_modules_are_short():
    counts = {source.name(p): len(p.read_text().splitlines()) for p, _ in source.python(*CODE)}
    faults = [
        f"{name}: {count} lines"
        for name, count in counts.items()
        if count > FILE and name != THE_WIRE
    ]
    told(faults, f"Split what is over {FILE} lines by what changes together")


def test_functions_are_short():
    faults = [
        f"{source.name(path)}:{node.lineno} {node.name}: {source.lines(node)} lines"
        for path, tree in source.python(*CODE)
        for node in source.functions(tree)
        if source.lines(node) > FUNCTION
    ]
    told(faults, f"Give parts of what is over {FUNCTION} lines a name of their own")


def is_route(decorator):
    call = decorator.func if isinstance(decorator, ast.Call) else decorator
    return isinstance(call, ast.Attribute) and call.attr in ("get", "post", "route")


def test_views_are_five_moves():
    faults = [
        f"{source.name(path)}:{node.lineno} {node.name}: {source.lines(node)} lines"
        for path, tree in source.python("app/views")
        for node in source.functions(tree)
        if any(map(is_route, node.decorator_list)) and source.lines(node) > VIEW
    ]
    told(faults, f"Load, bind, one verb, answer: move the rest of what is over {VIEW} lines")


def test_templates_are_short():
    counts = {p: len(p.read_text().splitlines()) for p in source.files("templates", ".html")}
    faults = [f"{source.name(p)}: {count} lines" for p, count in counts.items() if count > TEMPLATE]
    told(faults, f"Make fragments of what is over {TEMPLATE} lines")


def test_sheets_are_short():
    counts = {p: len(p.read_text().splitlines()) for p in source.files("static", ".css")}
    faults = [f"{source.name(p)}: {count} lines" for p, count in counts.items() if count > SHEET]
    told(faults, f"Give each component of what is over {SHEET} lines a sheet")
