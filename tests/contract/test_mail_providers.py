"""The fakes of the mail providers say what the providers say, by the fields of their documents."""

from urllib.parse import parse_qs

from tests.fakes import mail_providers

RAW = b"From: Bo <bo@example.com>\r\nSubject: Hi\r\n\r\nHello"

POSTMARK = {
    "FromName": str,
    "MessageStream": str,
    "From": str,
    "FromFull": dict,
    "To": str,
    "ToFull": list,
    "Cc": str,
    "CcFull": list,
    "Bcc": str,
    "BccFull": list,
    "OriginalRecipient": str,
    "Subject": str,
    "MessageID": str,
    "ReplyTo": str,
    "MailboxHash": str,
    "Date": str,
    "TextBody": str,
    "HtmlBody": str,
    "StrippedTextReply": str,
    "RawEmail": str,
    "Tag": str,
    "Headers": list,
    "Attachments": list,
}
"""postmarkapp.com/developer/webhooks/inbound-webhook: the example document and its fields;
RawEmail with "Include raw email content in JSON payload"."""

PERSON = {"Email", "Name", "MailboxHash"}
SPAM_HEADERS = {"X-Spam-Status", "X-Spam-Score", "X-Spam-Tests"}
"""The headers in which Postmark passes on what SpamAssassin found."""

MAILGUN = {
    "recipient",
    "sender",
    "from",
    "subject",
    "body-mime",
    "timestamp",
    "token",
    "signature",
}
"""documentation.mailgun.com, "Receiving messages via HTTP through a forward() action": the fields
of a raw MIME post, which is made only to addresses that end in ``mime``."""

TOKEN_LENGTH = 50


def test_postmark_s_fields_and_their_kinds():
    said = mail_providers.postmark(RAW, to="reply+x@reply.example.org")
    assert {name: type(value) for name, value in said.items()} == POSTMARK
    assert set(said["FromFull"]) == set(said["ToFull"][0]) == PERSON
    assert all(set(it) == {"Name", "Value"} for it in said["Headers"])
    names = [it["Name"] for it in said["Headers"]]
    assert names[0] == "Return-Path"
    assert set(names) >= SPAM_HEADERS
    assert said["MailboxHash"] == "x"


def test_mailgun_s_fields_and_its_signature():
    fields = parse_qs(
        mail_providers.mailgun(RAW, key="k", to="reply+x@reply.example.org", token="t" * 50),
        keep_blank_values=True,
    )
    assert set(fields) == MAILGUN
    assert len(fields["token"][0]) == TOKEN_LENGTH
    assert fields["timestamp"][0].isdigit()
    assert len(bytes.fromhex(fields["signature"][0])) == 32
    lines = fields["body-mime"][0].split("\r\n")
    assert lines[0] == "X-Mailgun-Dkim-Check-Result: Pass"
    assert next(n for n, it in enumerate(lines) if it.startswith("Received:")) > 0
