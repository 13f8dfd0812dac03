"""What Postmark and Mailgun post for a mail that came in, and how they sign it.

The fields are those of the vendors' own documents; ``tests/contract/test_mail_providers.py``
compares them with tables taken from there.
"""

import base64
import hashlib
import hmac
import secrets
import time
from email import message_from_bytes
from email.utils import parseaddr
from urllib.parse import urlencode


def signed_raw(raw, *, key, sender, to, moment=None):
    """The headers of the raw door."""
    moment = str(int(time.time()) if moment is None else moment)
    said = f"{moment}.{hashlib.sha256(raw).hexdigest()}"
    return {
        "Content-Type": "message/rfc822",
        "X-Inbound-Envelope-From": sender,
        "X-Inbound-Envelope-To": to,
        "X-Inbound-Timestamp": moment,
        "X-Inbound-Signature": hmac.new(key.encode(), said.encode(), "sha256").hexdigest(),
    }


def basic(auth):
    """Basic authentication as the address of a webhook carries it."""
    return {"Authorization": "Basic " + base64.b64encode(auth.encode()).decode()}


def postmark(raw, *, to, path="sender@example.com", tests="DKIM_SIGNED,DKIM_VALID,DKIM_VALID_AU"):
    """The JSON of Postmark's inbound webhook with the raw text switched on."""
    mail = message_from_bytes(raw)
    name, address = parseaddr(mail["From"] or "")
    person = {"Email": address, "Name": name, "MailboxHash": ""}
    own = [
        {"Name": "Return-Path", "Value": f"<{path}>"},
        {"Name": "Received", "Value": "by p-pm-inbound01 (Postfix); Sat, 28 Nov 2026"},
        {"Name": "X-Spam-Checker-Version", "Value": "SpamAssassin 3.4.0"},
        {"Name": "X-Spam-Status", "Value": "No"},
        {"Name": "X-Spam-Score", "Value": "-0.1"},
        {"Name": "X-Spam-Tests", "Value": tests},
        {"Name": "Received-SPF", "Value": "Pass (sender SPF authorized)"},
    ]
    theirs = [
        {"Name": key, "Value": value}
        for key, value in mail.items()
        if key not in ("From", "To", "Subject", "Date", "Content-Type")
    ]
    text = "" if mail.is_multipart() else mail.get_payload()
    return {
        "FromName": name,
        "MessageStream": "inbound",
        "From": address,
        "FromFull": person,
        "To": to,
        "ToFull": [{"Email": to, "Name": "", "MailboxHash": ""}],
        "Cc": "",
        "CcFull": [],
        "Bcc": "",
        "BccFull": [],
        "OriginalRecipient": to,
        "Subject": mail["Subject"],
        "MessageID": secrets.token_hex(16),
        "ReplyTo": "",
        "MailboxHash": to.partition("@")[0].partition("+")[2],
        "Date": "Sat, 28 Nov 2026 12:00:00 +0000",
        "TextBody": text,
        "HtmlBody": "",
        "StrippedTextReply": "",
        "RawEmail": raw.decode("utf-8", "replace"),
        "Tag": "",
        "Headers": own + theirs,
        "Attachments": [],
    }


def mailgun(raw, *, key, to, sender="sender@example.com", token=None, moment=None, check="Pass"):
    """The form of a Mailgun route whose address ends in ``mime``, urlencoded."""
    moment = str(int(time.time()) if moment is None else moment)
    token = token or secrets.token_hex(25)
    above = f"X-Mailgun-Dkim-Check-Result: {check}\r\nX-Mailgun-Spf: Pass\r\n" if check else ""
    above += f"X-Mailgun-Incoming: Yes\r\nX-Envelope-From: <{sender}>\r\n"
    above += "Received: from mail.example.com by mxa.mailgun.org with ESMTP id 1.2-in1\r\n"
    fields = {
        "recipient": to,
        "sender": sender,
        "from": sender,
        "subject": "",
        "body-mime": above.encode() + raw,
        "timestamp": moment,
        "token": token,
        "signature": hmac.new(key.encode(), (moment + token).encode(), "sha256").hexdigest(),
    }
    return urlencode(fields)
