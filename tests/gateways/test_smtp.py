"""Letters handed to a real SMTP server, well-behaved and not."""

import socket
import threading
from contextlib import closing

import pytest

from app.gateways.mail import Fate, Letter
from app.gateways.smtp import SmtpPostman
from app.mail_settings import read_server
from tests.fakes.mail_server import PASSWORD, USER, Authority, MailServer
from tests.waiting import PATIENCE

LETTER = Letter(
    message_id="<mail_x@plutarc.test>",
    to_email="bo@example.org",
    to_name="Bo Ström, Ltd.",
    subject="Your bot “Ether” stopped",
    text="Hello Bo,\n\nit stopped. " + "x" * 2000 + "\n",
    html="<p>Hello Bö</p>",
)
SENDER = "plutarc@plutarc.test"


@pytest.fixture
def start():
    servers = []

    def started(**options):
        servers.append(MailServer(**options))
        return servers[-1]

    yield started
    for server in servers:
        server.close()


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


def postman(server, url="smtp://127.0.0.1:{}", context=None, seconds=PATIENCE):
    return SmtpPostman(
        read_server(url.format(server.port)), SENDER, "plutarc", context=context, seconds=seconds
    )


def letter(**changes):
    return Letter(**{**LETTER.__dict__, **changes})


def test_a_letter_arrives_whole(start):
    server = start()
    assert postman(server).send(LETTER).fate is Fate.SENT
    (got,) = server.post.letters
    assert (got.sender, got.recipients) == (SENDER, ["bo@example.org"])
    message = got.message
    assert message["Message-ID"] == "<mail_x@plutarc.test>"
    assert message["Subject"] == LETTER.subject
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"].datetime.utcoffset().total_seconds() == 0
    (to,) = message["To"].addresses
    assert (to.display_name, to.addr_spec) == ("Bo Ström, Ltd.", "bo@example.org")
    (sender,) = message["From"].addresses
    assert (sender.display_name, sender.addr_spec) == ("plutarc", SENDER)
    assert message.get_content_type() == "multipart/alternative"
    assert message.get_body(("plain",)).get_content().replace("\r\n", "\n") == LETTER.text
    assert message.get_body(("html",)).get_content().strip() == LETTER.html
    assert not message.defects
    assert max(map(len, got.raw.splitlines())) <= 998
    assert got.raw.isascii()


def test_starttls_and_a_sign_in(start, authority):
    server = start(tls=authority.server(), sign_in=True)
    url = f"smtp://{USER}:{PASSWORD.replace(' ', '%20')}@127.0.0.1:{{}}?starttls=required"
    assert postman(server, url, authority.trusting()).send(LETTER).fate is Fate.SENT
    assert server.post.letters[0].encrypted


def test_tls_from_the_first_byte(start, authority):
    server = start(tls=authority.server(), implicit=True)
    assert (
        postman(server, "smtps://127.0.0.1:{}", authority.trusting()).send(LETTER).fate is Fate.SENT
    )
    assert server.post.letters[0].encrypted


def test_nothing_is_said_to_a_server_that_refuses_encryption(start):
    server = start()
    got = postman(server, "smtp://a:b@127.0.0.1:{}?starttls=required").send(LETTER)
    assert got.fate is Fate.RETRY
    assert "STARTTLS" in got.detail
    assert server.post.tried == 0


@pytest.mark.parametrize("url", ["smtp://127.0.0.1:{}?starttls=required", "smtps://127.0.0.1:{}"])
@pytest.mark.parametrize("fault", ["stranger", "name"])
def test_a_certificate_that_does_not_hold_stops_it(start, authority, url, fault):
    address = "127.0.0.2" if fault == "name" else "127.0.0.1"
    server = start(tls=authority.server(address), implicit=url.startswith("smtps"))
    got = postman(server, url, authority.trusting() if fault == "name" else None).send(LETTER)
    assert got.fate is Fate.RETRY
    assert "certificate does not hold" in got.detail
    assert server.post.tried == 0


def test_a_wrong_password_is_no_fault_of_the_letter(start, authority):
    server = start(tls=authority.server(), sign_in=True)
    url = f"smtp://{USER}:wrong-secret@127.0.0.1:{{}}?starttls=required"
    got = postman(server, url, authority.trusting()).send(LETTER)
    assert got.fate is Fate.RETRY
    assert "535" in got.detail
    assert "wrong-secret" not in got.detail


@pytest.mark.parametrize(
    ("step", "answer", "fate"),
    [
        ("rcpt", "450 4.2.1 mailbox busy", Fate.RETRY),
        ("rcpt", "550 5.1.1 no such person", Fate.FAILED),
        ("data", "451 4.3.0 come back later", Fate.RETRY),
        ("data", "554 5.7.1 we do not like it", Fate.FAILED),
    ],
)
def test_what_the_server_refuses(start, step, answer, fate):
    server = start()
    getattr(server.post, step).append(answer)
    got = postman(server).send(LETTER)
    assert got.fate is fate
    assert answer in got.detail
    assert server.post.letters == []


def test_a_sender_it_does_not_know_is_about_our_settings(start, authority):
    server = start(tls=authority.server(), sign_in=True)
    url = "smtp://127.0.0.1:{}?starttls=required"
    got = postman(server, url, authority.trusting()).send(LETTER)
    assert got.fate is Fate.RETRY
    assert "530" in got.detail


def test_the_connection_lost_after_the_text_leaves_it_unknown(start):
    server = start()
    server.post.hang_up = 1
    got = postman(server).send(LETTER)
    assert got.fate is Fate.UNKNOWN
    assert "may have been sent" in got.detail


def test_no_answer_after_the_text_leaves_it_unknown(start):
    server = start()
    server.post.mute = True
    assert postman(server, seconds=3).send(LETTER).fate is Fate.UNKNOWN


def test_nobody_there():
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        port = probe.getsockname()[1]
    got = SmtpPostman(read_server(f"smtp://127.0.0.1:{port}"), SENDER, "plutarc").send(LETTER)
    assert got.fate is Fate.RETRY
    assert f"127.0.0.1:{port}" in got.detail


def test_a_server_that_never_greets():
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        port = silent.getsockname()[1]
        url = read_server(f"smtp://127.0.0.1:{port}")
        got = SmtpPostman(url, SENDER, "plutarc", seconds=3).send(LETTER)
    assert (got.fate, "no answer in time" in got.detail) == (Fate.RETRY, True)


def test_a_goodbye_that_fails_does_not_unsend():
    """A server that takes the letter and then hangs up without a word."""
    script = [
        b"220 hi\r\n",
        b"250 hi\r\n",
        b"250 ok\r\n",
        b"250 ok\r\n",
        b"354 go\r\n",
        b"250 ok\r\n",
    ]

    def serve(listener):
        connection, _ = listener.accept()
        with connection, connection.makefile("rb") as lines:
            for number, line in enumerate(script):
                connection.sendall(line)
                if number == len(script) - 2:
                    while lines.readline() != b".\r\n":
                        pass
                elif number < len(script) - 2:
                    lines.readline()

    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        url = read_server(f"smtp://127.0.0.1:{listener.getsockname()[1]}")
        got = SmtpPostman(url, SENDER, "plutarc", seconds=PATIENCE).send(LETTER)
        thread.join()
    assert got.fate is Fate.SENT


def test_an_address_beyond_ascii(start):
    abroad = letter(to_email="björn@bücher.example")
    able, unable = start(), start(utf8=False)
    assert postman(able).send(abroad).fate is Fate.SENT
    (got,) = able.post.letters
    assert got.recipients == ["björn@xn--bcher-kva.example"]
    assert got.smtputf8
    assert got.message["To"].addresses[0].addr_spec == "björn@xn--bcher-kva.example"
    refused = postman(unable).send(abroad)
    assert (refused.fate, "SMTPUTF8" in refused.detail) == (Fate.FAILED, True)
    assert unable.post.tried == 0


def test_a_domain_beyond_ascii_needs_nothing_special(start):
    server = start(utf8=False)
    assert postman(server).send(letter(to_email="info@bücher.example")).fate is Fate.SENT
    assert server.post.letters[0].recipients == ["info@xn--bcher-kva.example"]


@pytest.mark.parametrize(
    "changes",
    [
        {"to_email": "bo@example.org\r\nRCPT TO:<eve@example.org>"},
        {"to_email": "bo\r\nBcc: eve@example.org\r\n@example.org"},
        {"to_email": "nobody"},
        {"to_email": "bo@" + "a" * 70 + ".org"},
        {"subject": "Hello\r\nBcc: eve@example.org"},
        {"to_name": "Bo\r\nBcc: eve@example.org"},
    ],
)
def test_no_header_and_no_recipient_can_be_smuggled_in(start, changes):
    server = start()
    assert postman(server).send(letter(**changes)).fate is Fate.FAILED
    assert server.post.letters == []
    assert server.post.tried == 0


def test_lines_that_begin_with_a_dot(start):
    server = start()
    text = "one\n.\n..two\n.three\n"
    assert postman(server).send(letter(text=text)).fate is Fate.SENT
    got = server.post.letters[0].message.get_body(("plain",)).get_content()
    assert got.replace("\r\n", "\n") == text
