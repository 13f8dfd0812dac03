"""A client that checks every page it is given: structure, labels, targets, tokens, policy.

What it asserts holds for every page of every test, so no page test has to say it again.
"""

import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from urllib.parse import urlsplit

from sqlalchemy import select

from app.domain import accounts
from app.extensions import db
from app.models import User
from tests.factories import TESTER

VOID = frozenset(
    (
        *("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source"),
        *("track", "wbr", "path", "circle", "rect", "polyline", "polygon"),
    )
)
FIELDS = frozenset({"input", "select", "textarea"})
UNLABELLED = frozenset({"hidden", "submit", "button"})
VERBS = frozenset({"hx-put", "hx-patch", "hx-delete"})


class Node:
    """One element: tag, attributes, children, text."""

    def __init__(self, tag, attributes, parent):
        self.tag, self.attributes, self.parent = tag, attributes, parent
        self.children = []

    def get(self, name, default=None):
        return self.attributes.get(name, default)

    def walk(self):
        for child in self.children:
            if isinstance(child, Node):
                yield child
                yield from child.walk()

    def all(self, tag):
        return [node for node in self.walk() if node.tag == tag]

    def by_id(self, name):
        return next((node for node in self.walk() if node.get("id") == name), None)

    def by_class(self, name):
        return [node for node in self.walk() if name in (node.get("class") or "").split()]

    @property
    def text(self):
        parts = (child.text if isinstance(child, Node) else child for child in self.children)
        return " ".join("".join(parts).split())

    def inside(self, tag):
        node = self.parent
        while node is not None and node.tag != tag:
            node = node.parent
        return node


class Tree(HTMLParser):
    """Parses HTML and refuses what does not nest."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.root = self.here = Node("document", {}, None)
        self.feed(html)
        self.close()
        assert self.here is self.root, f"<{self.here.tag}> is never closed"

    def handle_starttag(self, tag, attrs):
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"<{tag}> repeats an attribute: {names}"
        node = Node(tag, dict(attrs), self.here)
        self.here.children.append(node)
        if tag not in VOID:
            self.here = node

    def handle_startendtag(self, tag, attrs):
        self.here.children.append(Node(tag, dict(attrs), self.here))

    def handle_endtag(self, tag):
        if tag in VOID:
            return
        assert self.here.tag == tag, f"</{tag}> closes <{self.here.tag}>"
        self.here = self.here.parent

    def handle_data(self, data):
        self.here.children.append(data)


def check_piece(root):
    """What holds for pages and fragments alike."""
    ids = [node.get("id") for node in root.walk() if node.get("id")]
    assert len(ids) == len(set(ids)), (
        f"ids used twice: {sorted({i for i in ids if ids.count(i) > 1})}"
    )
    for node in root.walk():
        _check_node(node)
    for form in root.all("form"):
        _check_form(form)
    labelled = {label.get("for") for label in root.all("label")}
    for field in [node for node in root.walk() if node.tag in FIELDS]:
        _check_label(labelled, field)
    for table in root.all("table"):
        assert table.all("caption"), "a table has no caption"
    known = set(ids)
    for reference in ("aria-labelledby", "aria-describedby"):
        for node in root.walk():
            for name in (node.get(reference) or "").split():
                assert name in known, f"{reference} names {name}, which is not there"


def _check_node(node):
    handlers = [name for name in node.attributes if name.startswith(("on", "hx-on"))]
    assert not handlers, f"<{node.tag}> has inline handlers {handlers}"
    assert "style" not in node.attributes, f"<{node.tag}> has an inline style"
    assert node.tag != "style", "an inline style sheet"
    assert node.tag != "script" or node.get("src"), "an inline script"
    assert not VERBS & node.attributes.keys(), "htmx may only GET and POST"
    assert node.tag != "button" or node.text or node.get("aria-label"), "a button says nothing"
    assert node.tag != "a" or node.text or node.get("aria-label"), "a link says nothing"


def _check_form(form):
    assert form.get("action") is not None, "a form has no action"
    method = (form.get("method") or "").lower()
    assert method in ("get", "post"), f"a form has the method {method!r}"
    if method == "post":
        tokens = [n for n in form.all("input") if n.get("name") == "csrf_token"]
        assert tokens, f"the form for {form.get('action')!r} has no token"
    if form.get("hx-post"):
        assert form.get("hx-post") == form.get("action"), "htmx and plain form differ"


def _check_label(labelled, field):
    if field.get("type") in UNLABELLED or field.inside("label") is not None:
        return
    wanted = field.get("id")
    assert wanted, f"the field {field.get('name')!r} has no id"
    assert wanted in labelled, f"the field {field.get('name')!r} has no label"


def check_page(root):
    """What holds for whole pages."""
    check_piece(root)
    (html,) = root.all("html")
    assert html.get("lang"), "the page has no language"
    headings = root.all("h1")
    assert len(headings) == 1, f"{len(headings)} first headings"
    (title,) = root.all("head")[0].all("title")
    assert title.text.startswith(headings[0].text), (
        f"{title.text!r} and {headings[0].text!r} differ"
    )
    assert root.by_id("main"), "the skip link leads nowhere"
    for node in root.walk():
        target = node.get("hx-target")
        if target:
            assert root.by_id(target.removeprefix("#")), f"hx-target {target} is not there"
    for nav in root.by_class("nav"):
        here = [a for a in nav.all("a") if a.get("aria-current") == "page"]
        assert len(here) <= 1, "two places are the present one"


class Pages:
    """Fetches pages as a browser without script would, and checks each."""

    def __init__(self, app):
        self.app, self.client = app, app.test_client()
        self.at = self.page = self.response = None

    def get(self, url, status=200, **options):
        return self._seen(self.client.get(url, **options), status)

    def post(self, url, status=303, follow=True, token=True, **fields):
        if token:
            fields.setdefault("csrf_token", self.token())
        response = self.client.post(url, data=fields)
        page = self._seen(response, status)
        return self.follow() if follow and status == 303 else page

    def follow(self):
        """Go where the last answers point, to the page at the end."""
        while self.response.status_code == 303:
            answer = self.client.get(self.response.location)
            page = self._seen(answer, answer.status_code)
        assert self.response.status_code == 200, self.response.status
        return page

    def fragment(self, url, status=200, **fields):
        """As htmx would ask; POST where fields are given."""
        headers = {"HX-Request": "true"}
        if fields:
            fields.setdefault("csrf_token", self.token())
            response = self.client.post(url, data=fields, headers=headers)
        else:
            response = self.client.get(url, headers=headers)
        return self._seen(response, status, whole=False)

    def token(self):
        """The token of the page last seen, or of the sign-in page."""
        if self.page is None or not self._tokens():
            self.get("/help")
        return self._tokens()[0]

    def _tokens(self):
        fields = self.page.all("input") if self.page else []
        return [node.get("value") for node in fields if node.get("name") == "csrf_token"]

    def _seen(self, response, status, *, whole=True):
        self.response = response
        body = response.get_data(as_text=True)
        assert response.status_code == status, f"{response.status_code}: {_plain(body)}"
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
        assert "unsafe" not in response.headers["Content-Security-Policy"]
        if not body or response.mimetype != "text/html" or status in (301, 302, 303):
            return body
        root = Tree(body).root
        if whole:
            check_page(root)
            self.page, self.at = root, urlsplit(response.request.path).path
        else:
            check_piece(root)
        return root

    def sign_in(self, email, password):
        self.get("/login")
        return self.post("/login", email=email, password=password)

    def become(self, email):
        """Sign in without the forms, for tests that are not about them."""
        now = datetime.now(UTC)
        with self.app.app_context():
            person = db.session.scalar(select(User).where(User.email == email))
            device = {"ip": "127.0.0.1", "user_agent": "Chrome/156.0 Linux"}
            token = accounts.open_session(person, **device, by=TESTER, now=now)
            db.session.commit()
            db.session.remove()
        with self.client.session_transaction() as session:
            session["login_token"] = token

    def links(self, text):
        """Addresses of all links with this text on the page last seen."""
        return [a.get("href") for a in self.page.all("a") if a.text == text]


def _plain(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))[-600:]
