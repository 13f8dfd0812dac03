"""A Bot API on loopback that behaves as the real one does where it matters.

Chats, topics, private chats that block, groups that move, 429 with retry_after, answers that are
lost after the message was taken, updates by polling or by webhook but never both, and a count of
seconds after which a pressed button no longer waits. What real Telegram makes something to press
of (links, names, commands) is looked for in every text and returned as entities.
"""

import json
import re
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

TOKEN = "424242:AAbbCCddEEffGGhhIIjjKKllMMnnOOppQQr"
BOT_ID = 424242
BOT_NAME = "harbour_desk_bot"
GROUP = -1001234567890
CALLBACK_LASTS = 150

_ENTITIES = (
    (
        "url",
        re.compile(
            r"(?:https?|ftp|tg|ton)://[\w.:-]+|(?<![\w@.])[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}\b",
            re.IGNORECASE,
        ),
    ),
    ("email", re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")),
    ("mention", re.compile(r"(?<![\w@])@\w{3,32}\b", re.ASCII)),
    ("bot_command", re.compile(r"(?<![\w/<>])/\w{1,64}\b", re.ASCII)),
    ("hashtag", re.compile(r"(?<!\w)#\w*[^\W\d]\w*")),
    ("cashtag", re.compile(r"(?<!\w)\$[A-Z]{1,8}\b")),
    ("phone_number", re.compile(r"\+\d{5,15}")),
    ("bank_card", re.compile(r"(?<!\d)\d{13,19}(?!\d)")),
)


def entities_in(text):
    """What a client would let one press, in UTF-16 units as the API tells them."""
    found = []
    for kind, pattern in _ENTITIES:
        for match in pattern.finditer(text):
            start = len(text[: match.start()].encode("utf-16-le")) // 2
            length = len(match[0].encode("utf-16-le")) // 2
            found.append({"type": kind, "offset": start, "length": length, "text": match[0]})
    return found


class Refuse(Exception):
    def __init__(self, code, said, **parameters):
        super().__init__(said)
        self.code, self.said, self.parameters = code, said, parameters


@dataclass
class Chat:
    id: int
    type: str
    forum: bool = False
    may_manage: bool = True
    blocked: bool = False
    moved_to: int | None = None
    topics: dict = field(default_factory=dict)
    messages: dict = field(default_factory=dict)

    def told(self):
        found = {"id": self.id, "type": self.type}
        if self.type == "private":
            return found | {"first_name": "Somebody"}
        return found | {"title": "Desk"} | ({"is_forum": True} if self.forum else {})


class Bot:
    """The state behind the API, and how it is told to misbehave.

    ``faults`` are answered in turn instead of doing anything; ``lose`` and ``stall`` take the next
    calls and then break the connection or never answer; ``astray`` sends the next message of a
    topic into the main chat, as it once happened.
    """

    def __init__(self):
        self.lock = threading.RLock()
        self.chats = {GROUP: Chat(GROUP, "supergroup", forum=True)}
        self.calls, self.faults = [], []
        self.lose = self.stall = self.astray = 0
        self.webhook, self.updates, self.files = "", [], {}
        self.pressed, self.answered = {}, {}
        self.released = threading.Event()
        self.arrived = threading.Condition(self.lock)
        self.number = 100
        self.update_id = 700_000

    def next_number(self):
        self.number += 1
        return self.number

    def person(self, number):
        return self.chats.setdefault(number, Chat(number, "private"))

    def sent(self, chat_id=None):
        """The messages that arrived, in order, as they read."""
        with self.lock:
            found = [m for c in self.chats.values() for m in c.messages.values()]
            found = [m for m in found if m.get("from", {}).get("id") == BOT_ID]
            found.sort(key=lambda it: it["message_id"])
            return [m for m in found if chat_id is None or m["chat"]["id"] == chat_id]

    def methods(self):
        with self.lock:
            return [method for method, _, _ in self.calls]

    # -- people --------------------------------------------------------------------------------

    def say(self, chat_id, sender, text, **more):
        """Somebody writes; returns the update, which also waits to be fetched."""
        chat = self.person(chat_id) if chat_id > 0 else self.chats[chat_id]
        with self.lock:
            number = self.next_number()
            told = {
                "message_id": number,
                "from": {"id": sender, "is_bot": False, "first_name": "Kim"},
                "chat": chat.told(),
                "date": int(time.time()),
                "text": text,
            } | more
            chat.messages[number] = told
            return self.happens("message", told)

    def edit(self, update, text, **more):
        told = update["message"] | {"text": text, "edit_date": int(time.time())} | more
        return self.happens("edited_message", told)

    def press(self, sender, message, data, username=""):
        with self.lock:
            callback = str(900_000_000 + self.next_number())
            self.pressed[callback] = time.monotonic()
        who = {"id": sender, "is_bot": False, "first_name": "Kim"}
        who |= {"username": username} if username else {}
        told = {"id": callback, "from": who, "message": message, "chat_instance": "1", "data": data}
        return self.happens("callback_query", told)

    def happens(self, kind, told):
        with self.lock:
            self.update_id += 1
            update = {"update_id": self.update_id, kind: told}
            self.updates.append(update)
            self.arrived.notify_all()
            return update

    # -- methods -------------------------------------------------------------------------------

    def do(self, method, given):
        found = getattr(self, f"do_{method}", None)
        if found is None:
            raise Refuse(404, "Not Found")
        return found(**given)

    def do_getMe(self):  # noqa: N802 -- the API calls it so
        return {"id": BOT_ID, "is_bot": True, "first_name": "Desk", "username": BOT_NAME}

    def do_getChat(self, chat_id):  # noqa: N802 -- the API calls it so
        return self._chat(chat_id).told() | {"accent_color_id": 1, "max_reaction_count": 11}

    def do_getChatMember(self, chat_id, user_id):  # noqa: N802 -- the API calls it so
        chat = self._chat(chat_id)
        assert user_id == BOT_ID
        return {
            "status": "administrator" if chat.may_manage else "member",
            "user": self.do_getMe(),
            "can_manage_topics": chat.may_manage,
        }

    def do_sendMessage(  # noqa: N802 -- the API calls it so
        self,
        chat_id,
        text,
        message_thread_id=None,
        reply_parameters=None,
        reply_markup=None,
        link_preview_options=None,
    ):
        chat = self._chat(chat_id)
        _check_text(text)
        _check_buttons(reply_markup or {})
        message_thread_id = self._thread(chat, message_thread_id)
        told = {
            "message_id": self.next_number(),
            "from": self.do_getMe(),
            "chat": chat.told(),
            "date": int(time.time()),
            "text": text,
        }
        if found := entities_in(text):
            told["entities"] = found
        if message_thread_id is not None:
            told |= {"message_thread_id": message_thread_id, "is_topic_message": True}
        if reply_markup and "inline_keyboard" in reply_markup:
            told["reply_markup"] = reply_markup
        answered = chat.messages.get((reply_parameters or {}).get("message_id"))
        if answered is not None:
            told["reply_to_message"] = {
                k: v for k, v in answered.items() if k != "reply_to_message"
            }
        elif reply_parameters and not reply_parameters.get("allow_sending_without_reply"):
            raise Refuse(400, "Bad Request: message to be replied not found")
        chat.messages[told["message_id"]] = told
        return told

    def do_deleteMessage(self, chat_id, message_id):  # noqa: N802 -- the API calls it so
        if self._chat(chat_id).messages.pop(message_id, None) is None:
            raise Refuse(400, "Bad Request: message to delete not found")
        return True

    def do_createForumTopic(self, chat_id, name):  # noqa: N802 -- the API calls it so
        chat = self._topics_of(chat_id)
        if not 1 <= len(name) <= 128:
            raise Refuse(400, "Bad Request: topic name is invalid")
        thread = self.next_number()
        chat.topics[thread] = {"name": name, "open": True}
        return {"message_thread_id": thread, "name": name, "icon_color": 7322096}

    def do_closeForumTopic(self, chat_id, message_thread_id):  # noqa: N802 -- the API calls it so
        return self._turn(chat_id, message_thread_id, open_=False)

    def do_reopenForumTopic(self, chat_id, message_thread_id):  # noqa: N802 -- the API calls it so
        return self._turn(chat_id, message_thread_id, open_=True)

    def do_answerCallbackQuery(  # noqa: N802 -- the API calls it so
        self, callback_query_id, text="", show_alert=False
    ):
        pressed = self.pressed.get(callback_query_id)
        if pressed is None or time.monotonic() - pressed > CALLBACK_LASTS:
            raise Refuse(
                400,
                "Bad Request: query is too old and response timeout expired or query ID is invalid",
            )
        if len(text) > 200:
            raise Refuse(400, "Bad Request: MESSAGE_TOO_LONG")
        self.answered[callback_query_id] = text
        return True

    def do_setWebhook(  # noqa: N802 -- the API calls it so
        self,
        url,
        secret_token="",
        allowed_updates=(),
        max_connections=40,
        drop_pending_updates=False,
    ):
        if not url.startswith("https://"):
            raise Refuse(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
        self.webhook, self.secret, self.allowed = url, secret_token, list(allowed_updates)
        return True

    def do_deleteWebhook(self, drop_pending_updates=False):  # noqa: N802 -- the API calls it so
        self.webhook = ""
        return True

    def do_getWebhookInfo(self):  # noqa: N802 -- the API calls it so
        return {
            "url": self.webhook,
            "has_custom_certificate": False,
            "pending_update_count": len(self.updates),
        }

    def do_getUpdates(  # noqa: N802 -- the API calls it so
        self, offset=0, limit=100, timeout=0, allowed_updates=()
    ):
        if self.webhook:
            raise Refuse(
                409,
                "Conflict: can't use getUpdates method while webhook is active; use "
                "deleteWebhook to delete the webhook first",
            )
        end = time.monotonic() + timeout
        self.updates = [it for it in self.updates if it["update_id"] >= offset]
        while not self.updates and (left := end - time.monotonic()) > 0:
            self.arrived.wait(left)
        return self.updates[:limit]

    def do_getFile(self, file_id):  # noqa: N802 -- the API calls it so
        if file_id not in self.files:
            raise Refuse(400, "Bad Request: invalid file_id")
        if len(self.files[file_id]) > 20 * 1024 * 1024:
            raise Refuse(400, "Bad Request: file is too big")
        return {
            "file_id": file_id,
            "file_unique_id": f"u{file_id}",
            "file_size": len(self.files[file_id]),
            "file_path": f"documents/{file_id}",
        }

    # -- helpers -------------------------------------------------------------------------------

    def _chat(self, chat_id):
        chat = self.chats.get(chat_id)
        if chat is None:
            raise Refuse(400, "Bad Request: chat not found")
        if chat.moved_to is not None:
            raise Refuse(
                400,
                "Bad Request: group chat was upgraded to a supergroup chat",
                migrate_to_chat_id=chat.moved_to,
            )
        if chat.blocked:
            raise Refuse(403, "Forbidden: bot was blocked by the user")
        return chat

    def _thread(self, chat, thread):
        if thread is not None and thread not in chat.topics:
            raise Refuse(400, "Bad Request: message thread not found")
        if thread is not None and self.astray:
            self.astray -= 1
            return None
        return thread

    def _topics_of(self, chat_id):
        chat = self._chat(chat_id)
        if not chat.forum:
            raise Refuse(400, "Bad Request: the chat is not a forum")
        if not chat.may_manage:
            raise Refuse(400, "Bad Request: not enough rights to create a topic")
        return chat

    def _turn(self, chat_id, thread, *, open_):
        topic = self._topics_of(chat_id).topics.get(thread)
        if topic is None:
            raise Refuse(400, "Bad Request: TOPIC_ID_INVALID")
        if topic["open"] == open_:
            raise Refuse(400, "Bad Request: TOPIC_NOT_MODIFIED")
        topic["open"] = open_
        return True


def _check_text(text):
    if not text.strip("\u2060 \n\t"):
        raise Refuse(400, "Bad Request: message text is empty")
    if len(text.encode("utf-16-le")) // 2 > 4096:
        raise Refuse(400, "Bad Request: message is too long")


def _check_buttons(markup):
    buttons = [button for row in markup.get("inline_keyboard", []) for button in row]
    if any(len(button["callback_data"].encode()) > 64 for button in buttons):
        raise Refuse(400, "Bad Request: BUTTON_DATA_INVALID")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        bot = self.server.bot
        prefix = f"/file/bot{TOKEN}/documents/"
        name = unquote(self.path.removeprefix(prefix))
        if not self.path.startswith(prefix) or name not in bot.files:
            self.send_error(404)
            return
        self._answer(200, bot.files[name], "application/octet-stream")

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        bot, (head, _, method) = self.server.bot, self.path.rpartition("/")
        given = json.loads(body or b"{}")
        with bot.lock:
            bot.calls.append((method, given, time.time()))
            if head != f"/bot{TOKEN}":
                self._refuse(Refuse(401, "Unauthorized"))
                return
            if bot.faults and method != "getUpdates":
                fault = bot.faults.pop(0)
                if isinstance(fault, bytes):
                    self._answer(502, fault, "text/html")
                else:
                    self._refuse(fault)
                return
            try:
                result = bot.do(method, given)
            except Refuse as refusal:
                self._refuse(refusal)
                return
            lost, stalled = bot.lose > 0, bot.stall > 0
            bot.lose -= lost
            bot.stall -= stalled
        if lost:
            self.close_connection = True
            self.connection.close()
            return
        if stalled:
            bot.released.wait(60)
        self._answer(200, json.dumps({"ok": True, "result": result}).encode(), "application/json")

    def _refuse(self, refusal):
        told = {"ok": False, "error_code": refusal.code, "description": refusal.said}
        if refusal.parameters:
            told["parameters"] = refusal.parameters
        status = refusal.code if isinstance(refusal.code, int) else 400
        self._answer(status, json.dumps(told).encode(), "application/json")

    def _answer(self, status, body, kind):
        try:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            pass


class TelegramApi:
    """Listens on a free port in threads of its own until closed."""

    def __init__(self):
        self.bot = Bot()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.bot = self.bot
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self):
        self.bot.released.set()
        self._server.shutdown()
        self._server.server_close()
