"""Making an account from a form: who may, how many, and hashing that keeps nobody waiting."""

from app import current
from app.domain import accounts, mail, mailboxes, signups
from app.forms.accounts import SignUpForm
from app.models import User
from app.web import links, transactions


def refusal(*, invited: bool) -> str:
    """Why this server makes no account for who asks; empty if it does."""
    rule = current.config().signup
    if rule == "closed":
        return "Accounts are made by whoever runs this server; ask them for one."
    if rule == "invite" and not invited:
        return "Accounts are made by invitation here. Ask a member of a workspace to invite you."
    return ""


def create_account(form: SignUpForm, email: str, *, invited: bool = False) -> User:
    """Create the account; a try with an address that has one is kept.

    Raises:
        Invalid: the address or the password does not do.
        TooMany: too many accounts were made lately.
    """
    with transactions.reading():
        by, now = current.actor(), current.now()
        signups.check(invited=invited, by=by, now=now)
    name, password = form.name.data or "", form.password.data or ""
    try:
        return accounts.sign_up(email=email, name=name, password=password, by=by, now=now)
    except accounts.Taken:
        signups.note_taken(by=by, now=now)
        current.keep()
        raise


def create_quietly(form: SignUpForm, email: str) -> None:
    """The same to who asks, whether the address has an account or not: the mailbox is told which.

    For a link that an inviter can open too, who is not to learn who has an account.
    """
    now = current.now()
    try:
        user = create_account(form, email, invited=True)
    except accounts.Taken:
        mail.post("account_exists", to=email, now=now, sign_in=links.sign_in())
    else:
        mailboxes.ask_to_verify(user, link_to=links.verify, by=current.actor_for(user), now=now)
