"""What becomes of a mail, in the order in which it is asked."""

from app.domain.inbound import alarms, answers, bounces, loops, openings
from app.domain.inbound.answers import Holder
from app.domain.inbound.case import Case, Outcome, held, refused
from app.domain.support import reply_tokens, return_paths
from app.models import MailDecision

SUPPORT = "support"
"""The local part of the address that opens tickets."""


def on(case: Case) -> Outcome:
    """Decide on one mail, and do what follows from it. Nobody outside is ever written to."""
    desk, to = case.desk, case.mail.envelope_to
    token = reply_tokens.address_token(to, desk.domain)
    holder = _holder(case, token) if token else None
    if case.letter.odd:
        return held(case.letter.odd, holder.ticket if holder else None)
    if why := loops.ours(case.letter, domain=desk.domain, sender=desk.sender):
        alarms.loop(case.mail, case.now)
        return Outcome(MailDecision.LOOP, why)
    back = to.startswith("bounce+")
    theirs = holder is not None and case.mail.sender == holder.person.email_key
    if not (theirs and bounces.by_mailer(case.letter)) and bounces.is_one(
        case.letter, case.mail.envelope_from, returned=back
    ):
        return _returned(case)
    if back and (machine := loops.automatic(case.letter, case.mail.envelope_from)):
        return Outcome(MailDecision.AUTOMATIC, machine)
    if back:
        return refused("It was sent to a return address.")
    if holder is not None:
        return answers.take(case, holder)
    if token:
        return refused("Its reply address is unknown, too old, or was changed.")
    if to == f"{SUPPORT}@{desk.domain}":
        return openings.take(case)
    return refused("Nobody has this address here.")


def _returned(case: Case) -> Outcome:
    number = return_paths.read(case.mail.envelope_to, case.desk.key, case.desk.domain)
    letter = bounces.returned(case.letter, number)
    if letter is None:
        return Outcome(MailDecision.BOUNCE, "It is about no letter of ours.")
    done = bounces.take(letter, bounces.read(case.letter), case.now)
    return Outcome(MailDecision.BOUNCE, f"{done} Letter {letter.id}.")


def _holder(case: Case, token: str) -> Holder | None:
    """Whose address it was sent to, noted with the mail."""
    found = reply_tokens.find(token, case.now)
    if found is None:
        return None
    case.mail.verdicts = case.mail.verdicts | {"token": found.id}
    return answers.holder_of(found)
