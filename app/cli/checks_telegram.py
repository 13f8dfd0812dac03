"""The check of Telegram: whether the bot answers, may make topics, and nothing is stuck."""

from datetime import timedelta

from app.cli.base import reading
from app.cli.finding import Finding, Look, fail, ok, warn
from app.domain.telegram import console, presence
from app.gateways.bot_api import BotApi
from app.gateways.telegram import Fate

_SECONDS = 5.0
_WAITING = timedelta(minutes=2)
_RECENT = timedelta(days=1)
_WEBHOOK = "flask --app wsgi telegram-webhook"


def telegram(look: Look) -> Finding:
    """Whether the operators' chat would ring, and updates come in."""
    settings = look.config.telegram
    if not settings.on:
        return ok("not set: nothing rings")
    api = BotApi(settings.token, settings.api_base, connect=_SECONDS, read=_SECONDS)
    seen = presence.look(api, settings.chat_id, settings.bot_id)
    if not seen.name:
        return fail(seen.problem, "set TELEGRAM_BOT_TOKEN, or look at the network")
    if not settings.chat_id:
        return warn(f"@{seen.name} has no operators' chat", "write /id there, set its number")
    if not seen.reachable:
        return fail(seen.problem, "add the bot to the chat TELEGRAM_OPERATOR_CHAT_ID names")
    if seen.problem:
        return warn(seen.problem, "let it manage topics, or switch topics off")
    hook = api.call("getWebhookInfo", {})
    url = hook.result.get("url") if hook.fate is Fate.DONE and isinstance(hook.result, dict) else ""
    if settings.webhook_secret and not url:
        return warn("no webhook is set at Telegram", _WEBHOOK)
    if settings.polls and url:
        return warn("a webhook is set, so no update can be fetched", f"{_WEBHOOK} --remove")
    return _queue(look, seen.name, "each ticket has a topic" if seen.topics else "no topics")


def _queue(look: Look, name: str, topics: str) -> Finding:
    page = f"{look.config.base_url}/operator/telegram"
    reading()
    if late := console.waiting_since(look.now - _WAITING):
        return warn(f"{late} messages wait for a try", "start python -m app.jobs.worker desk")
    if lost := console.failed_since(look.now - _RECENT):
        return warn(f"{lost} messages of the last day failed", f"{page} says why")
    return ok(f"@{name} rings the operators' chat; {topics}")
