"""A person with a browser without script: opens pages, fills forms, presses buttons."""

from urllib.parse import urljoin, urlsplit

import requests

from tests.pages import Tree, check_page
from tests.waiting import PATIENCE


class Visitor:
    """One login session over real HTTP; every page it sees is checked."""

    def __init__(self, base):
        self.base = base
        self.session = requests.Session()
        self.url = base
        self.page = None

    def open(self, path):
        return self._seen(self.session.get(urljoin(self.base, path), timeout=PATIENCE))

    def submit(self, action, **values):
        """Send the form whose action ends with ``action``, with its own values but for these.

        A list sets a field of several values; ``None`` leaves a field out.
        """
        form = self._form(action)
        fields = [(n, v) for n, v in _defaults(form) if n not in values]
        for name, value in values.items():
            items = value if isinstance(value, list) else [value]
            fields.extend((name, str(item)) for item in items if item is not None)
        url = urljoin(self.url, form.get("action"))
        return self._seen(self.session.post(url, data=fields, timeout=PATIENCE))

    @property
    def text(self):
        return self.page.by_id("main").text

    def offers(self, action):
        """Whether the page has a form for it."""
        return any(self._target(form).endswith(action) for form in self.page.all("form"))

    def _form(self, action):
        forms = {self._target(form): form for form in reversed(self.page.all("form"))}
        found = [form for target, form in forms.items() if target.endswith(action)]
        assert found, f"no form for {action} at {self.url}: {list(forms)}"
        return found[-1]

    def _target(self, form):
        return urlsplit(urljoin(self.url, form.get("action"))).path

    def _seen(self, response):
        assert response.status_code == 200, (
            response.status_code,
            response.url,
            response.text[:400],
        )
        self.url = response.url
        self.page = Tree(response.text).root
        check_page(self.page)
        return self


def _defaults(form):
    """What a browser would send without anybody typing."""
    for node in form.walk():
        name = node.get("name")
        if not name or "disabled" in node.attributes:
            continue
        if node.tag == "textarea":
            yield name, node.text
        elif node.tag == "select":
            yield name, _chosen(node)
        elif node.tag == "input" and node.get("type") in ("checkbox", "radio"):
            if "checked" in node.attributes:
                yield name, node.get("value", "on")
        elif node.tag == "input" and node.get("type") not in ("submit", "button"):
            yield name, node.get("value", "")


def _chosen(select):
    options = select.all("option")
    selected = [o for o in options if "selected" in o.attributes] or options[:1]
    return selected[0].get("value", "") if selected else ""
