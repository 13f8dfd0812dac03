"""A real browser on a real server: the same house as for pages, over HTTP on loopback."""

import threading
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from sqlalchemy import select
from werkzeug.serving import make_server

from app import current
from app.domain.support import files, moves, owning
from app.models import (
    BacktestKind,
    BacktestState,
    StrategyVersion,
    TradeRow,
    User,
    Verification,
    Workspace,
)
from tests import backtested, coded, factories, site, tickets
from tests.views.conftest import as_it_was, desk, house, people, story
from tests.waiting import PATIENCE

__all__ = ["as_it_was", "desk", "house", "people", "story"]


@pytest.fixture(scope="module")
def address(house):
    """The web on a free port, ended with the module."""
    server = make_server("127.0.0.1", 0, house, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def window(browser, address):
    """A window of its own; whatever the console or the policy complains about fails the test."""
    context = browser.new_context(base_url=address, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE * 1000)
    page = context.new_page()
    said = []
    page.on("console", lambda line: said.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page
    context.close()
    # Refused and lost answers are what some tests are about; browser and htmx note each of them.
    assert not [line for line in said if not line.startswith(("Failed to load resource", "htmx:"))]


@pytest.fixture
def signed_in(window, desk):
    """A window of the desk's owner."""
    window.goto("/login")
    window.fill("#email", desk.emails["owner"])
    window.fill("#password", factories.PASSWORD)
    window.click("button:has-text('Sign in')")
    window.wait_for_url("**/w/**")
    return window


@pytest.fixture
def ticket(house, desk):
    """A ticket of the desk's owner with all that one can hold."""
    now = datetime.now(UTC)
    with site.rows(house) as session:
        person = session.scalars(select(User).where(User.email == desk.emails["owner"])).one()
        kept = files.store(current.storage(), "order.png", "image/png", b"\x89PNG\r\n\x1a\n")
        workspace = session.get(Workspace, desk.id)
        made = tickets.opened(workspace, person, "Ether is stuck", files=(kept,), now=now)
        moves.resolve(made, voice=tickets.voice_of(person), now=now)
        automatic = {"automatic": True, "verification": Verification.UNVERIFIED}
        tickets.wrote(made, person, "I am away.", now=now, **automatic)
        message = tickets.wrote(made, person, "Is it agian?", now=now)
        owning.edit(made, message, "Is it again?", voice=tickets.voice_of(person), now=now)
        tickets.answered(made, "See https://example.com/" + "long" * 40, now=now)
        made.warned_at = now
        return SimpleNamespace(id=made.id, url=f"{desk.home}/tickets/{made.id}", message=message.id)


@pytest.fixture
def research(house, story):
    """Every page on which strategies are written, tested and judged, filled with results."""
    now, home = datetime.now(UTC), story.home
    with site.rows(house) as session:
        version = session.get(StrategyVersion, story.version)
        rows = [backtested.row(version, now, kind=kind) for kind in BacktestKind]
        rows += [backtested.row(version, now, said=backtested.answer(2, "single"))]
        states = (BacktestState.QUEUED, BacktestState.RUNNING)
        waiting = [backtested.row(version, now, state=state) for state in states]
        runs = [f"/backtests/{row.id}" for row in rows + waiting]
        single = [row.id for row in rows if row.kind is BacktestKind.SINGLE]
        dry = coded.dry_run(session.get(Workspace, version.workspace_id), now).id
        query = select(TradeRow.id).where(TradeRow.bot_id == story.bot.rpartition("/")[2])
        trades = session.scalars(query.limit(2)).all()
    strategy = story.strategy.removeprefix(home)
    written = (
        "/strategies?archived=yes",
        f"{strategy}/v/1",
        "/strategies/code",
        f"/strategies/code/{dry}",
    )
    tested = (
        "",
        "/new",
        "/sweep",
        "/walk-forward",
        f"/compare?backtest={'&backtest='.join(single)}",
    )
    of = f"?version={story.version}"
    parts = [*written, *(f"/backtests{it}" for it in tested), *runs]
    parts += [f"/backtests/{kind}{of}" for kind in ("new", "sweep", "walk-forward")]
    parts += ["/trades", f"/trades/compare?trade={'&trade='.join(trades)}", f"/trades/{trades[0]}"]
    parts += ["/analytics?mode=paper", f"/analytics{strategy}", "/tax"]
    parts += [f"/analytics/bots/{story.bot.rpartition('/')[2]}"]
    about = ("/clone", "/signals", "/signals/settings", "/readiness", "/paper-reset")
    return [home + part for part in parts] + [story.bot + part for part in about]


@pytest.fixture
def addresses(desk, ticket):
    """Every page a signed-in owner can open, by name."""
    bots, strategies = f"{desk.home}/bots", f"{desk.home}/strategies"
    return SimpleNamespace(
        plain=[
            f"{desk.home}/",
            bots,
            f"{bots}/new",
            f"{desk.resting}/edit",
            f"{desk.resting}/schedule",
            f"{desk.resting}/mode",
            f"{desk.resting}/live",
            f"{desk.resting}/readiness",
            f"{desk.resting}/delete",
            strategies,
            f"{strategies}/templates",
            f"{strategies}/templates/ema_trend",
            f"{strategies}/import",
            f"{strategies}/new?template=ema_trend",
            desk.strategy,
            f"{desk.strategy}/edit",
            f"{desk.strategy}/compare",
            f"{desk.home}/connections",
            f"{desk.home}/connections/new",
            f"{desk.home}/members",
            f"{desk.home}/invitations",
            f"{desk.home}/ownership",
            f"{desk.home}/leave",
            f"{desk.home}/approvals",
            f"{desk.home}/panic",
            f"{desk.home}/settings",
            f"{desk.home}/settings/defaults",
            f"{desk.home}/settings/limits",
            f"{desk.home}/settings/security",
            f"{desk.home}/settings/delete",
            f"{desk.home}/audit",
            f"{desk.home}/audit/moment",
            f"{desk.home}/audit/verify",
            "/account",
            "/account/inbox",
            "/account/security",
            "/account/security/password",
            "/account/security/email",
            "/account/sessions",
            "/workspaces/new",
            "/help",
            "/help/paper",
            "/help/permissions",
            "/styleguide",
        ],
        bot=["", "/decisions", "/orders", "/history"],
        tickets=[
            f"{desk.home}/tickets?whose=all",
            f"{desk.home}/tickets?text=nowhere",
            f"{desk.home}/tickets/new?about=bot&id={desk.resting.rpartition('/')[2]}",
            ticket.url,
            f"{ticket.url}/messages/{ticket.message}/edit",
        ],
    )
