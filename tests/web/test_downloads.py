"""Files that somebody sent, answered so that no browser runs or shows them in our name."""

from email.message import Message

import pytest

from app import current
from app.domain.support import files
from app.models import MessageFile
from app.web import downloads


@pytest.mark.parametrize(
    ("name", "plain", "full"),
    [
        ("log.txt", "log.txt", "log.txt"),
        ("\u00c4rger 1.png", "Arger 1.png", "\u00c4rger 1.png"),
        ("\u65e5\u672c.csv", "csv", "\u65e5\u672c.csv"),
        ('a"; filename="b.exe', "a__ filename__b.exe", 'a"; filename="b.exe'),
        ("a\r\nX-Evil: 1", "a X-Evil_ 1", "a X-Evil: 1"),
        ("a/../../b", "b", "b"),
        ("\u202egpj.exe", "gpj.exe", "gpj.exe"),
        ("%41.txt", "_41.txt", "%41.txt"),
    ],
)
def test_a_name_stays_a_name_in_the_header(name, plain, full):
    header = downloads.disposition(name)
    assert "\r" not in header
    assert "\n" not in header
    assert f'filename="{plain}"' in header
    read = Message()
    read["Content-Disposition"] = header.replace(f' filename="{plain}";', "")
    assert read.get_content_disposition() == "attachment"
    assert read.get_filename() == full


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"<html><script>alert(1)</script>", "application/octet-stream"),
        (b"<svg onload=alert(1)>", "application/octet-stream"),
        (b"MZ\x90", "application/octet-stream"),
        (b"plain", "text/plain; charset=utf-8"),
    ],
)
def test_whatever_its_sender_called_it(house, content, kind):
    with house.test_request_context():
        kept = files.store(current.storage(), "a.html", "text/html", content)
        answer = downloads.answer(MessageFile(**vars(kept)))
        house.process_response(answer)
    assert answer.data == content
    assert answer.headers["Content-Type"] == kind
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer.headers["Cache-Control"] == "no-store"
