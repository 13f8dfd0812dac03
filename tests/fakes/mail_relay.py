"""A mail server that takes letters for a domain and hands each to the raw door, as pipes do.

It checks senders the way a real one reports it: whoever signs in as ``user@domain`` is proven for
that domain, everybody else is not, and what it found it writes on top of the letter.
"""

import asyncio
import hashlib
import hmac
import threading
import time

import requests
from aiosmtpd.smtp import SMTP, AuthResult

from tests.waiting import PATIENCE


class MailRelay:
    """Listens on a free port of loopback in a thread of its own until closed.

    Args:
        door: the address of the raw door.
        key: what proves us there.
        authserv_id: the name under which we report our checks.
    """

    def __init__(self, door, key, authserv_id):
        self.door, self.key, self.authserv_id = door, key, authserv_id
        self.answers = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        opening = self._loop.create_server(self._protocol, "127.0.0.1", 0)
        self._server = asyncio.run_coroutine_threadsafe(opening, self._loop).result(PATIENCE)
        self.port = self._server.sockets[0].getsockname()[1]

    def _protocol(self):
        return SMTP(
            self,
            hostname=self.authserv_id,
            loop=self._loop,
            authenticator=self._authenticate,
            auth_require_tls=False,
        )

    @staticmethod
    def _authenticate(_server, session, _envelope, _mechanism, data):
        session.proven = data.login.decode()
        return AuthResult(success=True)

    async def handle_DATA(self, _server, session, envelope):  # noqa: N802 -- aiosmtpd calls it so
        proven = getattr(session, "proven", "")
        found = self._report(proven, envelope.mail_from or "")
        stamped = f"Authentication-Results: {self.authserv_id}; {found}\r\n".encode()
        raw = stamped + envelope.content
        statuses = [
            await asyncio.to_thread(self._hand_over, raw, envelope.mail_from or "", recipient)
            for recipient in envelope.rcpt_tos
        ]
        self.answers.extend(statuses)
        return "250 kept" if all(200 <= status < 300 for status in statuses) else "451 later"

    @staticmethod
    def _report(proven, sender):
        domain = sender.rpartition("@")[2]
        verdict = "pass" if proven and proven.rpartition("@")[2] == domain else "none"
        return f"dmarc={verdict} header.from={domain}; spf={verdict} smtp.mailfrom={domain}"

    def _hand_over(self, raw, sender, recipient):
        moment = str(int(time.time()))
        said = f"{moment}.{hashlib.sha256(raw).hexdigest()}".encode()
        answer = requests.post(
            self.door,
            data=raw,
            headers={
                "Content-Type": "message/rfc822",
                "X-Inbound-Envelope-From": sender,
                "X-Inbound-Envelope-To": recipient,
                "X-Inbound-Timestamp": moment,
                "X-Inbound-Signature": hmac.new(self.key.encode(), said, "sha256").hexdigest(),
            },
            timeout=PATIENCE,
        )
        return answer.status_code

    def close(self):
        async def end():
            self._server.close()

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(PATIENCE)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()
