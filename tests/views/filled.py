"""What a browser would send of a form as it stands."""


def current_fields(page):
    """Names to values; a name that occurs several times has a list."""
    form = page.by_class("form")[0]
    fields = {}
    for node in form.walk():
        kind, name = node.get("type"), node.get("name")
        if node.tag == "input" and kind not in ("checkbox", "radio"):
            if name == "part":
                fields.setdefault(name, []).append(node.get("value"))
            else:
                fields[name] = node.get("value") or ""
        if node.tag == "input" and kind == "checkbox" and "checked" in node.attributes:
            fields[name] = node.get("value")
        if node.tag == "select":
            chosen = [o for o in node.all("option") if "selected" in o.attributes]
            fields[name] = (chosen or node.all("option"))[0].get("value")
    return fields
