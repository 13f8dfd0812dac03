"""A real SMTP server on loopback (aiosmtpd): TLS, sign-in, and whatever may go wrong."""

import asyncio
import contextlib
import ipaddress
import ssl
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, message_from_string, policy

from aiosmtpd.smtp import SMTP, AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.waiting import PATIENCE

USER, PASSWORD = "harbour", "three grey herons"


@dataclass
class Received:
    """One letter as it arrived."""

    sender: str
    recipients: list
    raw: bytes
    encrypted: bool
    smtputf8: bool

    @property
    def message(self):
        # Python reads headers in UTF-8 (RFC 6532) from text only.
        if self.smtputf8:
            return message_from_string(self.raw.decode(), policy=policy.default)
        return message_from_bytes(self.raw, policy=policy.default)


@dataclass
class Post:
    """What the server was given, and how it is told to misbehave.

    ``rcpt`` and ``data`` are answers to give instead of 250, the first for the first letter; None
    is yes. ``hang_up`` drops the connection in answer to the text, after keeping it;
    ``mute`` never answers it.
    """

    rcpt: list = field(default_factory=list)
    data: list = field(default_factory=list)
    hang_up: int = 0
    mute: bool = False
    letters: list = field(default_factory=list)
    tried: int = 0

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802 -- aiosmtpd calls it so
        answer = self.rcpt.pop(0) if self.rcpt else None
        if answer:
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 -- aiosmtpd calls it so
        self.tried += 1
        answer = self.data.pop(0) if self.data else None
        if answer:
            return answer
        self.letters.append(
            Received(
                envelope.mail_from,
                envelope.rcpt_tos,
                envelope.content,
                session.ssl is not None
                or server.transport.get_extra_info("sslcontext") is not None,
                envelope.smtp_utf8,
            )
        )
        if self.hang_up:
            self.hang_up -= 1
            server.transport.abort()
        if self.mute:
            await asyncio.Event().wait()
        return "250 OK"


class MailServer:
    """Listens on a free port in a thread of its own until closed."""

    def __init__(self, *, tls=None, implicit=False, sign_in=False, utf8=True):
        self.post = Post()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

        def protocol():
            return SMTP(
                self.post,
                hostname="mail.test",
                loop=self._loop,
                enable_SMTPUTF8=utf8,
                tls_context=None if implicit else tls,
                require_starttls=tls is not None and not implicit,
                auth_required=sign_in,
                auth_require_tls=tls is not None and not implicit,
                authenticator=_authenticate if sign_in else None,
            )

        opening = self._loop.create_server(protocol, "127.0.0.1", 0, ssl=tls if implicit else None)
        self._server = asyncio.run_coroutine_threadsafe(opening, self._loop).result(PATIENCE)
        self.port = self._server.sockets[0].getsockname()[1]

    def close(self):
        async def end():
            self._server.close()
            mine = asyncio.current_task()
            others = [task for task in asyncio.all_tasks() if task is not mine]
            for task in others:
                task.cancel()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.gather(*others, return_exceptions=True), 5)

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(PATIENCE)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()


def _authenticate(_server, _session, _envelope, _mechanism, data):
    right = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=right, handled=False)


class Authority:
    """A certificate authority of the test's own, and what it signs."""

    def __init__(self, directory):
        self.directory = directory
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test Authority")])
        self.certificate = self._sign(self.name, self.key, authority=True)
        self.file = directory / "authority.pem"
        self.file.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def trusting(self):
        """What a client that knows this authority checks certificates with."""
        return ssl.create_default_context(cafile=str(self.file))

    def server(self, address="127.0.0.1"):
        """A server's side, with a certificate for ``address``."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.test")])
        made = self._sign(name, key, address=address)
        chain = self.directory / f"server-{address}.pem"
        chain.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + made.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain)
        return context

    def _sign(self, name, key, *, address=None, authority=False):
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        if address:
            names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self.key, hashes.SHA256())
