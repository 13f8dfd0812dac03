"""Whether somebody who knows vouches for the sender: the provider, or our own mail server.

What a sender can write themselves is never evidence. A verdict counts where it is known to have
been added on arrival: ``Authentication-Results`` under the configured name, topmost of those, in
mail that our own server handed over, since providers pass on whatever a sender wrote there;
Postmark's and Mailgun's own headers only where those providers put them, above what came along,
and only if there is exactly one.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.domain.inbound.parse import Headers, Letter


class Proof(StrEnum):
    """``PASS``: the sender's domain sent it. ``NONE``: it says nothing about its mail. ``FAIL``:
    it says that this is not its. ``UNKNOWN``: nobody looked whom we trust.
    """

    PASS = "pass"  # noqa: S105 -- a verdict, not a password
    NONE = "none"
    FAIL = "fail"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Verdict:
    """What is known of the sender, and the words it was read from."""

    proof: Proof
    why: str = ""


_NAME = re.compile(r"\s*([^\s;()]+)")
_RESULT = re.compile(r"\s*([a-z0-9-]{1,20})(?:/\d+)?\s*=\s*([a-z]{1,20})\b(.*)", re.DOTALL)
_PROPERTY = re.compile(r"(?<!\S)([a-z]{1,12}\.[a-z-]{1,20})\s*=\s*@?([^\s;]+)")
_SIGNER = re.compile(r"(?:^|;)\s*d\s*=\s*([A-Za-z0-9.-]{1,189})\s*(?:;|$)")


def of(letter: Letter, *, provider: str, told: Headers, authserv_id: str) -> Verdict:
    """What is known of the sender of a letter.

    Args:
        letter: the mail; its one From address is what must be proven.
        provider: through which door it came.
        told: headers that the provider reported apart from the mail, topmost first.
        authserv_id: the name our own mail server reports under; without it no such report counts.
    """
    domain = letter.sender.rpartition("@")[2]
    if not domain:
        return Verdict(Proof.UNKNOWN, "It has no single sender.")
    if provider == "postmark":
        return _postmark(told, domain)
    if provider == "mailgun":
        return _mailgun(letter, domain)
    if authserv_id and (report := _ours(letter.all("authentication-results"), authserv_id)):
        return _reported(report, domain)
    return Verdict(Proof.UNKNOWN, "No report of our own mail server came with it.")


def _ours(values: Sequence[str], authserv_id: str) -> str:
    """The results in the topmost report under our name, readable; else nothing."""
    for value in values:
        name = _NAME.match(value.lower())
        if name is not None and name[1] == authserv_id.lower():
            return _plain(value.lower()).partition(";")[2] or " "
    return ""


def _plain(report: str) -> str:
    """A report without comments, its quoted strings as bare words; nothing if that is in doubt.

    Servers repeat in both what a sender chose, such as a quoted local part with a semicolon.
    """
    words: list[str] = []
    depth, quoted, escaped = 0, False, False
    for sign in report:
        if escaped or (sign == "\\" and (quoted or depth)):
            escaped = not escaped
        elif sign == '"':
            if depth:
                return ""  # inside a comment nobody knows whose end comes first
            quoted = not quoted
        elif quoted:
            words.append(sign if sign.isalnum() or sign in ".@-+" else "_")
        elif sign in "()":
            depth += 1 if sign == "(" else -1
            if depth < 0:
                return ""
            words.append(" ")
        elif not depth:
            words.append(sign)
    return "" if depth or quoted else "".join(words)


def _reported(report: str, domain: str) -> Verdict:
    """A report by RFC 8601: DMARC decides; without one, a signature of the sender's domain."""
    results = [found for piece in report.split(";") if (found := _RESULT.fullmatch(piece))]
    dmarc = {it[2] for it in results if it[1] == "dmarc" and _about(it[3], domain)}
    if "fail" in dmarc:
        return Verdict(Proof.FAIL, "dmarc=fail")
    if dmarc == {"pass"}:
        return Verdict(Proof.PASS, "dmarc=pass")
    for it in results:
        signer = dict(_PROPERTY.findall(it[3])).get("header.d", "")
        if it[1] == "dkim" and it[2] == "pass" and aligned(signer, domain):
            return Verdict(Proof.PASS, f"dkim=pass header.d={signer}")
    if any(it[1] == "spf" and it[2] == "fail" for it in results):
        return Verdict(Proof.FAIL, "spf=fail")
    if "none" in dmarc:
        return Verdict(Proof.NONE, "dmarc=none")
    return Verdict(Proof.UNKNOWN, "The report says nothing of DMARC.")


def _about(properties: str, domain: str) -> bool:
    """Whether a DMARC result speaks of this domain; one that names none speaks of the From."""
    named = dict(_PROPERTY.findall(properties)).get("header.from")
    return named is None or named.rpartition("@")[2] == domain


def _postmark(told: Headers, domain: str) -> Verdict:
    """SpamAssassin's names as Postmark reports them: signed by the author's own domain or not.

    They stand below Postmark's own ``Received`` and above every other one.
    """
    own, received = [], 0
    for name, value in told:
        received += name.lower() == "received"
        if name.lower() == "x-spam-tests":
            own.append((value, received))
    if len(own) != 1 or own[0][1] > 1:
        return Verdict(Proof.UNKNOWN, "Postmark reported no check, or more than one.")
    tests = {it.strip().upper() for it in own[0][0].split(",")}
    if "DKIM_VALID_AU" in tests:
        return Verdict(Proof.PASS, f"DKIM_VALID_AU for {domain}")
    if tests & {"SPF_FAIL", "DMARC_REJECT", "DMARC_QUAR", "KAM_DMARC_REJECT"}:
        return Verdict(Proof.FAIL, own[0][0][:100])
    return Verdict(Proof.UNKNOWN, "Postmark found no signature of the sender's domain.")


def _mailgun(letter: Letter, domain: str) -> Verdict:
    """Mailgun's check of signatures, above its own ``Received``. It names no domain: there must be
    one signature alone, of the sender's domain.
    """
    above = []
    for name, value in letter.headers:
        if name == "received":
            break
        above.append((name, value))
    checks = letter.all("x-mailgun-dkim-check-result")
    here = [value for name, value in above if name == "x-mailgun-dkim-check-result"]
    if len(checks) != 1 or len(here) != 1:
        return Verdict(Proof.UNKNOWN, "Mailgun reported no check, or more than one.")
    if here[0].strip().lower() != "pass":
        return Verdict(Proof.FAIL, f"dkim {here[0][:40]}")
    signers = [found[1] for it in letter.all("dkim-signature") if (found := _SIGNER.search(it))]
    if len(signers) == 1 == len(letter.all("dkim-signature")) and aligned(signers[0], domain):
        return Verdict(Proof.PASS, f"dkim pass of {signers[0]}")
    return Verdict(Proof.UNKNOWN, "It is not signed by the sender's domain alone.")


def aligned(signer: str, domain: str) -> bool:
    """Whether who signed is the domain itself or a parent that is more than a top-level name."""
    signer = signer.lower().rpartition("@")[2].rstrip(".")
    return "." in signer and (signer == domain or domain.endswith(f".{signer}"))
