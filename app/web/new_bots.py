"""The form of a new bot: what there is to choose from, and the bot made of it."""

from flask import request
from wtforms import SelectChoice

from app import current
from app.domain import bots, connections, defaults, strategies
from app.domain.certification import vouching
from app.domain.errors import Invalid
from app.domain.venues import known
from app.forms.base import offered
from app.forms.bots import BUILT_IN, NewBotForm
from app.models import Bot, Connection, Environment, StrategyVersion
from app.web import code_pages, places
from app.web.guards import allowed
from runner.protocol import Mode
from runner.strategy import TEMPLATES


def offer(form: NewBotForm) -> None:
    """Fill in what there is to choose from."""
    library = strategies.in_workspace(current.workspace())
    form.strategy.choices = [
        *offered(((f"template:{item.key}", item.title) for item in TEMPLATES), "Templates"),
        *offered(((item.latest.id, item.latest.label) for item in library), "Own strategies"),
    ]
    form.connection.choices = connection_choices()
    form.region.choices = places.choices()
    if request.method == "GET":
        workspace = current.workspace()
        form.begin_with(defaults.of(workspace), workspace.zone)
        form.strategy.data = request.args.get("strategy") or form.strategy.data


def exchange_details() -> dict[str, str]:
    """What a person should know of each exchange before choosing it."""
    return {name: word.text or BUILT_IN for name, word in vouching.words().items()}


def connection_choices(
    environment: Environment = Environment.TESTNET, exchange: str | None = None
) -> list[SelectChoice]:
    """The keys of the workspace for one environment, at one exchange or at all."""
    found = [
        (item.id, _label(item) if exchange else f"{known(item.exchange).title}: {_label(item)}")
        for item in connections.in_workspace(current.workspace())
        if item.environment is environment and exchange in (None, item.exchange)
    ]
    return offered([("", "Choose one" if found else "None yet"), *found])


def _label(connection: Connection) -> str:
    return f"{connection.label} (…{connection.key_hint})"


def create(form: NewBotForm) -> Bot:
    """A bot as typed: its strategy first, where a template was chosen."""
    plan, workspace = form.settled_plan(), current.workspace()
    mode = Mode(form.mode.data)
    connection = None
    if mode is Mode.TESTNET and form.connection.data:
        connection = connections.find(workspace, form.connection.data)
    blueprint = bots.Blueprint(
        name=form.name.data or "",
        exchange=form.exchange.data,
        symbols=(form.symbol.data,),
        version=_version(form.strategy.data),
        mode=mode,
        schedule=plan,
        starting_balance=form.balance,
        limits=form.limits(),
        connection=connection,
        region=form.region.data,
    )
    by, now, there = current.actor(), current.now(), current.config().compute.regions
    bot = bots.create(workspace, blueprint, author=current.user(), by=by, now=now, offered=there)
    if form.start.data and allowed("bot.start"):
        bots.start(bot, by=by, now=now)
    return bot


def _version(choice: str) -> StrategyVersion:
    """The version chosen; a template becomes a strategy of the workspace, once."""
    workspace = current.workspace()
    kind, _, key = choice.partition(":")
    if kind != "template":
        found = strategies.find_version(workspace, choice)
        if found is None:
            raise Invalid("Choose one of the strategies.", "strategy")
        return code_pages.runnable(found)
    template = strategies.template(key)
    for item in strategies.in_workspace(workspace):
        if item.template == key and item.latest.rules == template.rules:
            return item.latest
    made = strategies.create(
        workspace,
        name=template.title,
        rules=template.rules,
        author=current.user(),
        by=current.actor(),
        now=current.now(),
        summary=template.summary,
        template_key=key,
    )
    return made.latest
