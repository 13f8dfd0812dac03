"""Mail that nobody should trust, and mail that only looks odd: each with what must become of it."""

import base64
from dataclasses import dataclass, field

from tests.domain.inbound.post import DOMAIN, FAIL, NONE, OURS, SUPPORT, mail, vouched

APPENDED, NOTE, OPENED = "appended", "note", "opened"
HELD, REFUSED, AUTOMATIC = "quarantined", "refused", "automatic"
BOUNCE, LOOP = "bounce", "loop"


@dataclass(frozen=True)
class Trial:
    """``make`` builds the mail for a world; ``how`` says how it is delivered."""

    name: str
    decision: str
    make: object = field(repr=False)
    to: str = "to"
    how: dict = field(default_factory=dict)

    def __str__(self):
        return self.name


def owner(**how):
    return lambda world: mail(world.owner.email, **how)


def by(who, **how):
    return lambda world: mail(getattr(world, who).email, **how)


def raw(text):
    """A mail written out, with ``{owner}`` and such filled in."""

    def make(world):
        names = {
            name: getattr(world, name).email for name in ("owner", "operator", "stranger", "other")
        }
        report = f"Authentication-Results: {vouched(world.owner.email)}\r\n"
        filled = text
        for name, address in names.items():
            filled = filled.replace("{" + name + "}", address)
        return (report + filled).encode("utf-8", "surrogateescape")

    return make


def nested(levels):
    def make(world):
        inner = "".join(
            f'Content-Type: multipart/mixed; boundary="b{n}"\n\n--b{n}\n' for n in range(levels)
        )
        return raw("From: {owner}\n" + inner)(world)

    return make


def parts(number):
    return raw(
        "From: {owner}\nContent-Type: multipart/mixed; boundary=b\n\n"
        + "--b\nContent-Type: text/plain\n\nword\n" * number
        + "--b--\n"
    )


def typed(kind, body=b"Here I am."):
    return lambda world: mail(world.owner.email, body, Content_Type=kind)


def marked(name, value, **how):
    return lambda world: mail(world.owner.email, headers=[(name, value)], **how)


SPOOFS = (
    Trial("a stranger with the owner's token", HELD, by("stranger")),
    Trial("a stranger with the desk's token", HELD, by("stranger"), "desk_to"),
    Trial("the owner with the desk's token", HELD, by("owner"), "desk_to"),
    Trial("the owner with a token for notes", HELD, by("owner"), "note_to"),
    Trial("another operator with the operator's token", HELD, by("other"), "desk_to"),
    Trial("an operator with the owner's token", HELD, by("operator")),
    Trial("the owner, forged", HELD, owner(proof=FAIL)),
    Trial("the owner, of a domain without DMARC", APPENDED, owner(proof=NONE)),
    Trial("an operator, of a domain without DMARC", HELD, by("operator", proof=NONE), "desk_to"),
    Trial("an operator, forged", HELD, by("operator", proof=FAIL), "desk_to"),
    Trial("an operator nobody vouches for", HELD, by("operator", proof=None), "desk_to"),
    Trial("the owner nobody vouches for", HELD, owner(proof=None)),
    Trial(
        "a verdict of another host",
        HELD,
        lambda w: mail(
            w.owner.email,
            proof=None,
            top=[("Authentication-Results", vouched(w.owner.email, host="mx.evil.test"))],
        ),
    ),
    Trial(
        "a verdict written below ours",
        HELD,
        lambda w: mail(
            w.owner.email,
            proof=FAIL,
            headers=[("Authentication-Results", vouched(w.owner.email))],
        ),
    ),
    *(
        Trial(
            f"a verdict that the sender wrote into ours, {what}",
            HELD,
            lambda w, said=said: mail(
                w.owner.email,
                proof=None,
                top=[
                    (
                        "Authentication-Results",
                        f"{OURS}; spf=pass {said.format(w.owner.email.rpartition('@')[2])}",
                    )
                ],
            ),
        )
        for what, said in {
            "quoted": 'smtp.mailfrom="x; dmarc=pass header.from={}"@evil.test',
            "in a comment": '(domain of "x); dmarc=pass header.from={} (y"@evil.test)',
            "escaped": 'smtp.mailfrom="x\\"; dmarc=pass header.from={} \\""@evil.test',
            "never closed": "(never closed; dmarc=pass header.from={}",
        }.items()
    ),
    Trial(
        "a verdict under our name that a provider passed on",
        HELD,
        owner(),
        how={"provider": "postmark", "told": [("x-spam-tests", "SPF_PASS")]},
    ),
    Trial(
        "a verdict with comments and quotes of its own",
        APPENDED,
        lambda w: mail(
            w.owner.email,
            proof=None,
            top=[
                (
                    "Authentication-Results",
                    vouched(w.owner.email).replace(
                        "; ", '; dkim=fail (2048 bit; (old)) reason="no; key (gone)"; '
                    ),
                )
            ],
        ),
    ),
    Trial(
        "a verdict of another host above ours",
        APPENDED,
        lambda w: mail(
            w.owner.email,
            top=[("Authentication-Results", vouched(w.owner.email, FAIL, "mx.evil.test"))],
        ),
    ),
    Trial(
        "a verdict about another domain",
        HELD,
        lambda w: mail(
            w.owner.email,
            proof=None,
            top=[("Authentication-Results", f"{OURS}; dmarc=pass header.from=evil.test")],
        ),
    ),
    Trial(
        "a signature of another domain",
        HELD,
        lambda w: mail(
            w.owner.email,
            proof=None,
            top=[("Authentication-Results", f"{OURS}; dkim=pass header.d=evil.test")],
        ),
    ),
    Trial(
        "a signature of the top-level domain",
        HELD,
        lambda w: mail(
            w.owner.email,
            proof=None,
            top=[("Authentication-Results", f"{OURS}; dkim=pass header.d=com")],
        ),
    ),
    Trial(
        "a signature of the sender's own domain",
        APPENDED,
        lambda w: mail(
            w.owner.email,
            proof=None,
            top=[("Authentication-Results", f"{OURS}; dkim=pass header.d=example.com")],
        ),
    ),
    Trial(
        "a pass hidden in a comment",
        HELD,
        lambda w: mail(
            w.owner.email,
            proof=None,
            top=[("Authentication-Results", f"{OURS}; spf=none (x; dmarc=pass header.from=a)")],
        ),
    ),
    Trial(
        "a name before the address",
        HELD,
        lambda w: mail("x@evil.test", From=f"{w.owner.email} <x@evil.test>", proof="pass"),
    ),
    Trial("two From headers", HELD, raw("From: {owner}\nFrom: {stranger}\n\nx")),
    Trial("two From headers, one with a space", HELD, raw("From: {stranger}\nFrom : {owner}\n\nx")),
    Trial("two addresses in From", HELD, raw("From: {owner}, {stranger}\n\nx")),
    Trial("a group in From", HELD, raw("From: us: {owner};\n\nx")),
    Trial("a comment in From", HELD, raw("From: ({owner}) <{stranger}>\n\nx")),
    Trial("an address in an encoded word", HELD, raw("From: =?utf-8?q?{owner}?=\n\nx")),
    Trial("a newline in an encoded word", HELD, raw("From: =?utf-8?q?a=0D=0AX:?= {owner}\n\nx")),
    Trial("no From", HELD, raw("Sender: {owner}\nReply-To: {owner}\n\nx")),
    Trial(
        "the owner in Sender and Reply-To only",
        HELD,
        raw("From: {stranger}\nSender: {owner}\nReply-To: {owner}\n\nx"),
    ),
    Trial("the owner in Cc", HELD, raw("From: {stranger}\nCc: {owner}\nBcc: {owner}\n\nx")),
    Trial("a broken line among the headers", HELD, raw("From: {owner}\nno header\n\nx")),
    Trial("a NUL in a header", HELD, raw("From: {owner}\nX: a\x00b\n\nx")),
    Trial("a lone carriage return", HELD, raw("From: {owner}\nX: a\rFrom: {stranger}\n\nx")),
    Trial("a token nobody gave", REFUSED, owner(), "nobody_to"),
    Trial(
        "only a number in the subject",
        REFUSED,
        owner(Subject="Re: [T-1001] A question"),
        "plain_to",
    ),
    Trial("a right From at the desk's address", OPENED, owner(), "support"),
    Trial(
        "a stranger without an account at the desk's address",
        REFUSED,
        lambda w: mail("who@example.org"),
        "support",
    ),
    Trial("a user nobody vouches for at the desk's address", HELD, owner(proof=None), "support"),
    Trial("a note by mail", NOTE, by("operator"), "note_to"),
    Trial("a return address with a wrong proof", REFUSED, owner(), "bounce_to"),
)
"""Who says to be whom."""

SHAPES = (
    Trial("nested 1,000 deep", HELD, nested(1000)),
    Trial("nested 15 deep", REFUSED, nested(15)),
    Trial("10,000 parts", HELD, parts(10_000)),
    Trial("90 parts", APPENDED, parts(90)),
    Trial("1,000 opening brackets", HELD, raw("From: " + "(" * 1000 + "\n\nx")),
    Trial(
        "20,000 recipients",
        APPENDED,
        raw("From: {owner}\nTo: " + ", ".join(f"u{n}@x.test" for n in range(20_000)) + "\n\nx"),
    ),
    Trial("20,000 words in Cc", APPENDED, raw("From: {owner}\nCc: " + "junk " * 20_000 + "\n\nx")),
    Trial("30,000 headers", HELD, raw("From: {owner}\n" + "X: y\n" * 30_000 + "\nx")),
    Trial("a From of 100 kB", HELD, raw('From: "' + "a" * 100_000 + '" <{owner}>\n\nx')),
    Trial("an unknown character set", APPENDED, typed("text/plain; charset=klingon")),
    Trial("a character set with a NUL", HELD, typed("text/plain; charset=a\x00b")),
    Trial("the character set idna", APPENDED, typed("text/plain; charset=idna")),
    Trial("the character set hex", APPENDED, typed("text/plain; charset=hex")),
    Trial("the character set punycode", APPENDED, typed("text/plain; charset=punycode")),
    Trial(
        "a character set that lies",
        APPENDED,
        typed("text/plain; charset=us-ascii", "Grüße €".encode("cp1252")),
    ),
    Trial("half a surrogate", APPENDED, typed("text/plain; charset=utf-7", b"x +2AA- y")),
    Trial(
        "broken base64",
        APPENDED,
        lambda w: mail(w.owner.email, "SGVsbG8gd29ybGQ", Content_Transfer_Encoding="base64"),
    ),
    Trial("a boundary that never comes", REFUSED, typed("multipart/mixed; boundary=never")),
    Trial("no boundary", APPENDED, typed("multipart/mixed")),
    Trial("a kind that is none", APPENDED, typed('text/;;;="')),
    Trial("no Message-ID", APPENDED, raw("From: {owner}\n\nx")),
    Trial("a Message-ID in pieces", APPENDED, raw("From: {owner}\nMessage-ID: <a b<<c>\n\nx")),
    Trial("a date that is none", APPENDED, marked("Date", "the day after never")),
    Trial(
        "a subject with a newline inside",
        OPENED,
        owner(Subject="=?utf-8?q?a=0D=0ABcc:_x?="),
        "support",
    ),
    Trial("nothing at all", REFUSED, owner(body="")),
    Trial("spaces only", REFUSED, owner(body=" \r\n\t ")),
    Trial("a NUL in the text", APPENDED, owner(body=b"a\x00b")),
    Trial("1 MB in one line", APPENDED, owner(body="x" * 1_000_000)),
    Trial("an mbox line first", APPENDED, lambda w: b"From x Mon Jan 1\n" + mail(w.owner.email)),
    Trial("headers alone", REFUSED, raw("From: {owner}")),
    Trial(
        "a mail in a mail, 500 deep",
        APPENDED,
        raw("From: {owner}\n" + "Content-Type: message/rfc822\n\n" * 500),
    ),
    Trial("HTML only", APPENDED, typed("text/html", b"<p>Hello <b>desk</b></p><script>x</script>")),
)
"""What it is made of."""

MACHINES = (
    *(
        Trial(f"{name}: {value}", AUTOMATIC, marked(name, value))
        for name, value in (
            ("Auto-Submitted", "auto-replied"),
            ("Auto-Submitted", "auto-generated (vacation)"),
            ("Precedence", "bulk"),
            ("Precedence", "auto_reply"),
            ("X-Precedence", "junk"),
            ("List-Id", "<list.example.com>"),
            ("List-Unsubscribe", "<mailto:x@example.com>"),
            ("X-Autoreply", "yes"),
            ("X-Autorespond", "yes"),
            ("X-Autoresponse", "yes"),
            ("X-AutoReply-From", "a@example.com"),
            ("X-Mail-Autoreply", "yes"),
            ("X-Loop", "yes"),
            ("X-MS-Exchange-Inbox-Rules-Loop", "a@example.com"),
            ("Return-Path", "<>"),
        )
    ),
    Trial("an empty envelope", AUTOMATIC, owner(), how={"sender": ""}),
    Trial(
        "away, and asking for no answer",
        AUTOMATIC,
        marked("X-Auto-Response-Suppress", "All", Subject="Out of office: back on Monday"),
    ),
    Trial("Auto-Submitted: no", APPENDED, marked("Auto-Submitted", "no")),
    Trial("asking for no answer", APPENDED, marked("X-Auto-Response-Suppress", "All")),
    Trial("away, by its subject alone", APPENDED, owner(Subject="Out of office pass wanted")),
    Trial(
        "a machine at the desk's address",
        AUTOMATIC,
        marked("Auto-Submitted", "auto-replied"),
        "support",
    ),
    Trial(
        "a machine in an operator's name",
        AUTOMATIC,
        lambda w: mail(w.operator.email, headers=[("Auto-Submitted", "auto-replied")]),
        "desk_to",
    ),
    Trial(
        "a machine with a stranger's address",
        AUTOMATIC,
        lambda w: mail(w.stranger.email, headers=[("Precedence", "bulk")]),
    ),
    Trial(
        "a bounce by its kind",
        BOUNCE,
        typed(
            "multipart/report; report-type=delivery-status; boundary=b",
            b"--b\n\nnot delivered\n--b--",
        ),
    ),
    Trial("a bounce by its header", BOUNCE, marked("X-Failed-Recipients", "a@example.com")),
    Trial(
        "a bounce by its sender",
        BOUNCE,
        lambda w: mail("MAILER-DAEMON@example.com"),
        how={"sender": ""},
    ),
    Trial(
        "a bounce to a wrong return address",
        BOUNCE,
        lambda w: mail("postmaster@example.com"),
        "bounce_to",
        {"sender": ""},
    ),
    Trial("from our own letters' address", LOOP, lambda w: mail("desk@plutarc.test")),
    Trial("from a reply address", LOOP, lambda w: mail(w.to)),
    Trial("from the desk's own address", LOOP, lambda w: mail(SUPPORT)),
)
"""What no person wrote."""

ALL = (*SPOOFS, *SHAPES, *MACHINES)


def destination(world, trial):
    known = {
        "support": SUPPORT,
        "nobody_to": f"reply+{'a' * 26}@{DOMAIN}",
        "plain_to": f"t-1001@{DOMAIN}",
        "bounce_to": f"bounce+{'a' * 26}.{'a' * 26}@{DOMAIN}",
    }
    return known.get(trial.to) or getattr(world, trial.to)


def zipped(size):
    """An attachment in base64, as lines of a mail."""
    return base64.encodebytes(b"PK\x03\x04" + b"\0" * (size - 4))
