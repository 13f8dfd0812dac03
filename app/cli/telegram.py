"""``telegram-webhook``: have Telegram deliver updates here, or no more."""

import click

from app import current
from app.cli.base import Command
from app.domain.telegram.updates import WANTED
from app.gateways.bot_api import BotApi
from app.gateways.telegram import Fate

PATH = "/webhooks/telegram"
_AT_ONCE = 10


@click.command("telegram-webhook", cls=Command)
@click.option("--remove", is_flag=True, help="Take the webhook away; updates are fetched then.")
def telegram_webhook(remove: bool) -> None:
    """Tell Telegram to deliver updates to BASE_URL with TELEGRAM_WEBHOOK_SECRET."""
    config = current.config()
    settings = config.telegram
    if not settings.on:
        raise click.ClickException("TELEGRAM_BOT_TOKEN is not set; @BotFather gives one.")
    api = BotApi(settings.token, settings.api_base)
    if remove:
        _do(api, "deleteWebhook", {})
        click.echo("The webhook is removed. Unset TELEGRAM_WEBHOOK_SECRET to have updates fetched.")
        return
    if not settings.webhook_secret:
        raise click.ClickException("TELEGRAM_WEBHOOK_SECRET is not set; choose 16 letters or more.")
    if not config.base_url.startswith("https://"):
        raise click.ClickException(
            "Telegram delivers to https:// alone. Set BASE_URL to a public one, or unset "
            "TELEGRAM_WEBHOOK_SECRET to have updates fetched."
        )
    wanted = {
        "url": f"{config.base_url}{PATH}",
        "secret_token": settings.webhook_secret,
        "allowed_updates": list(WANTED),
        "max_connections": _AT_ONCE,
    }
    _do(api, "setWebhook", wanted)
    click.echo(f"Telegram delivers to {config.base_url}{PATH}.")


def _do(api: BotApi, method: str, parameters: dict[str, object]) -> None:
    answer = api.call(method, parameters)
    if answer.fate is not Fate.DONE:
        raise click.ClickException(f"Telegram did not take it: {answer.detail}")
