"""The fake Bot API and what we send it, against field tables that were not written here."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from app.domain.telegram import updates
from app.gateways.bot_api import BotApi
from app.gateways.telegram import Fate
from tests.fakes.telegram_api import BOT_ID, GROUP, TOKEN, TelegramApi
from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[2]
TABLES = json.loads((ROOT / "tests/fakes/bot_api_fields.json").read_text())
NESTED = {
    "reply_parameters": "ReplyParameters",
    "link_preview_options": "LinkPreviewOptions",
}
RESULTS = {
    "getMe": "User",
    "getChat": "ChatFullInfo",
    "getChatMember": "ChatMemberAdministrator",
    "sendMessage": "Message",
    "createForumTopic": "ForumTopic",
    "getWebhookInfo": "WebhookInfo",
    "getFile": "File",
}
INSIDE = {
    "from": "User",
    "user": "User",
    "chat": "Chat",
    "message": "Message",
    "edited_message": "Message",
    "reply_to_message": "Message",
    "callback_query": "CallbackQuery",
    "document": "Document",
    "parameters": "ResponseParameters",
}


def faults(kind, told, table="types", whole=True):
    """Names that the tables do not know, and required ones that are missing."""
    known = TABLES[table][kind]
    names = set(told)
    found = [
        f"{kind}.{name} is unknown" for name in names - {*known["required"], *known["optional"]}
    ]
    if whole:
        found += [f"{kind}.{name} is missing" for name in set(known["required"]) - names]
    for name, inner in told.items():
        if isinstance(inner, dict) and name in INSIDE:
            found += faults(INSIDE[name], inner)
    return found


@pytest.fixture(scope="module")
def server():
    made = TelegramApi()
    yield made
    made.close()


CALLS = {
    "getMe": {},
    "getChat": {"chat_id": GROUP},
    "getChatMember": {"chat_id": GROUP, "user_id": BOT_ID},
    "createForumTopic": {"chat_id": GROUP, "name": "T-1"},
    "sendMessage": {"chat_id": GROUP, "text": "Hello"},
    "getWebhookInfo": {},
    "getFile": {"file_id": "f"},
    "deleteWebhook": {},
}


@pytest.mark.parametrize("method", CALLS)
def test_what_the_fake_answers_has_the_shape_of_the_real_one(server, method):
    server.bot.files["f"] = b"x"
    answer = BotApi(TOKEN, server.url).call(method, CALLS[method])
    assert answer.fate is Fate.DONE
    if method not in RESULTS:
        assert answer.result is True
        return
    kind = RESULTS[method]
    # The fake may leave out what we never read of the largest types.
    found = [it for it in faults(kind, answer.result) if not it.endswith("is missing")]
    read = {"getMe": {"id", "is_bot", "username"}, "sendMessage": {"message_id", "chat", "date"}}
    assert found == []
    assert read.get(method, set()) <= set(answer.result)


def test_updates_of_the_fake_have_the_shape_of_real_ones(server):
    told = server.bot.say(5, 5, "Hello")
    edited = server.bot.edit(told, "Hello!")
    pressed = server.bot.press(5, told["message"], "close 1")
    for update in (told, edited, pressed):
        assert faults("Update", update) == []


def test_a_refusal_has_the_shape_of_a_real_one(server):
    url = f"{server.url}/bot{TOKEN}/sendMessage"
    told = requests.post(url, json={"chat_id": 1, "text": "x"}, timeout=PATIENCE).json()
    assert set(told) == {"ok", "error_code", "description"}
    server.bot.chats[GROUP].moved_to = -1009
    told = requests.post(url, json={"chat_id": GROUP, "text": "x"}, timeout=PATIENCE).json()
    assert faults("ResponseParameters", told["parameters"]) == []
    server.bot.chats[GROUP].moved_to = None


def test_all_that_is_sent_is_in_the_tables():
    """Every method the code names, every parameter it builds: read off the code itself."""
    sources = [*(ROOT / "app/domain/telegram").glob("*.py"), ROOT / "app/jobs/telegram_poll.py"]
    sources += [ROOT / "app/cli/telegram.py", ROOT / "app/gateways/bot_api.py"]
    text = "\n".join(path.read_text() for path in sources)
    pattern = r'"((?:get|set|send|delete|create|close|reopen|answer)[A-Z]\w+)"'
    assert set(re.findall(pattern, text)) <= set(TABLES["methods"])


def test_every_field_that_is_read_of_an_update_exists():
    text = (ROOT / "app/domain/telegram/incoming.py").read_text()
    read = set(re.findall(r'\.get\("(\w+)"\)', text))
    known = {name for kind in TABLES["types"].values() for names in kind.values() for name in names}
    # Forwards told of themselves by these two until Bot API 7; servers of one's own may be older.
    older = {"forward_date"}
    assert read - known - older == set()
    assert set(updates.WANTED) <= set(TABLES["types"]["Update"]["optional"])


def test_what_the_desk_sends_is_in_the_tables(server):
    """Steps as they are built for a ticket, through the very functions that the worker uses."""
    from app.domain.telegram.sending import _button, _markup, _send
    from app.domain.telegram.wording import Words
    from app.models import TelegramCall

    call = TelegramCall(kind="say", destination="chat 1", values={"reply_to": 5})
    call.created_at = datetime.now(UTC)
    step = _send(call, Words("Hello", [[("Close", "close 1")]]), 1, 7)
    assert faults(step.method, step.parameters, "methods") == []
    for name, kind in NESTED.items():
        assert faults(kind, step.parameters[name]) == []
    (button,) = step.parameters["reply_markup"]["inline_keyboard"][0]
    assert faults("InlineKeyboardButton", button) == []
    asking = TelegramCall(kind="say", destination="chat 1", values={"force_reply": True})
    assert faults("ForceReply", _markup(asking, Words("x"))) == []
    ended = TelegramCall(kind="button", destination="b", values={"text": "x", "callback": "1"})
    assert faults("answerCallbackQuery", _button(ended).parameters, "methods") == []
