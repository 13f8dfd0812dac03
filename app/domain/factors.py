"""The second factor: an authenticator app, and recovery codes for when it is lost."""

import base64
import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update

from app.domain import accounts, alerts, throttle, totp
from app.domain.account_events import record
from app.domain.audit import Actor
from app.domain.errors import Conflict, Invalid, Refused
from app.domain.throttle import Limit
from app.extensions import change, db
from app.gateways.locker import Locked, Locker
from app.models import (
    AuditEvent,
    AuditOutcome,
    LoginSession,
    Membership,
    RecoveryCode,
    TotpFactor,
    User,
    Workspace,
)

ACTION = "account.factor_check"
LIMITS = (
    Limit(5, timedelta(minutes=5)),
    Limit(20, timedelta(hours=1)),
    Limit(50, timedelta(days=1)),
)
CODES = 10
FEW = 3
_CODE_BYTES = 15
_PURPOSE = "second factor"
_TOO_MANY = "Too many wrong codes. Wait, then try again with a fresh one."


def confirmed(user: User) -> TotpFactor | None:
    """The factor that counts, if the person has one."""
    found = db.session.get(TotpFactor, user.id, populate_existing=True)
    return found if found is not None and found.confirmed_at is not None else None


def begin(user: User, *, locker: Locker, by: Actor, now: datetime) -> None:
    """Make a seed to be enrolled; it counts for nothing until a code confirms it.

    Raises:
        Conflict: there is a factor already.
    """
    if confirmed(user) is not None:
        raise Conflict("You have an authenticator app already. Remove it before adding another.")
    db.session.execute(delete(TotpFactor).where(TotpFactor.user_id == user.id))
    sealed = locker.close(_PURPOSE, user.id, totp.new_seed())
    db.session.add(TotpFactor(user_id=user.id, sealed=sealed, created_at=now))
    db.session.flush()
    record(user, "account.factor_begin", by, now)


def waiting_seed(user: User, *, locker: Locker) -> bytes | None:
    """The seed that waits to be confirmed; one that counts is never shown again."""
    found = db.session.get(TotpFactor, user.id, populate_existing=True)
    if found is None or found.confirmed_at is not None:
        return None
    return _seed(found, locker)


def confirm(
    user: User, code: str, *, locker: Locker, keep: LoginSession, by: Actor, now: datetime
) -> list[str]:
    """Take the factor if ``code`` is right; returns the recovery codes, shown this once.

    Raises:
        Invalid: the code is wrong.
        Conflict: nothing waits to be confirmed.
    """
    seed = waiting_seed(user, locker=locker)
    if seed is None:
        raise Conflict("There is nothing to confirm. Begin again.")
    step = totp.matching_step(seed, _digits(code), now)
    if step is None:
        raise Invalid("That code does not fit. Is the clock of your phone right?", "code")
    taken = change(
        update(TotpFactor)
        .where(TotpFactor.user_id == user.id, TotpFactor.confirmed_at.is_(None))
        .values(confirmed_at=now, last_step=step)
    )
    if taken != 1:
        raise Conflict("The app was confirmed meanwhile. Load the page again.")
    accounts.end_sessions(user, keep=keep.id, now=now)
    codes = _new_codes(user, now)
    _warn(user, "A second factor was added to your account", "All other sessions have ended.", now)
    record(user, "account.factor_add", by, now)
    return codes


def check(user: User, code: str, *, locker: Locker, by: Actor, now: datetime) -> bool:
    """Whether ``code`` is right and newer than any that was taken; a wrong one is kept as denied.

    Raises:
        TooMany: too many wrong ones lately.
    """
    factor = db.session.scalar(
        select(TotpFactor).where(TotpFactor.user_id == user.id).with_for_update()
    )
    _throttle(user, now)
    if factor is None or factor.confirmed_at is None:
        return False
    step = totp.matching_step(_seed(factor, locker), _digits(code), now)
    if step is not None and _advance(user, step):
        return True
    record(user, ACTION, by, now, AuditOutcome.DENIED)
    return False


def use_recovery_code(user: User, code: str, *, by: Actor, now: datetime) -> bool:
    """Whether ``code`` is one of theirs and unused; it is used up by that.

    Raises:
        TooMany: too many wrong ones lately.
    """
    _throttle(user, now)
    used = change(
        update(RecoveryCode)
        .where(
            RecoveryCode.user_id == user.id,
            RecoveryCode.code_hash == _digest(user, code),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=now)
    )
    if used != 1:
        record(user, ACTION, by, now, AuditOutcome.DENIED)
        return False
    left = codes_left(user)
    _warn(user, "A recovery code of your account was used", f"{left} are left.", now)
    record(user, "account.recovery_code_use", by, now)
    return True


def codes_left(user: User) -> int:
    """How many recovery codes are unused."""
    query = select(func.count()).where(
        RecoveryCode.user_id == user.id, RecoveryCode.used_at.is_(None)
    )
    return db.session.scalar(query) or 0


def renew_codes(user: User, *, by: Actor, now: datetime) -> list[str]:
    """New recovery codes; the old ones end.

    Raises:
        Conflict: there is no factor they would stand in for.
    """
    if confirmed(user) is None:
        raise Conflict("Recovery codes belong to an authenticator app; add one first.")
    codes = _new_codes(user, now)
    _warn(user, "Your recovery codes were replaced", "The old ones no longer work.", now)
    record(user, "account.recovery_codes_renew", by, now)
    return codes


def remove(user: User, *, keep: LoginSession, by: Actor, now: datetime) -> None:
    """Give the factor up.

    Raises:
        Refused: a workspace of theirs demands one.
        Conflict: there is none.
    """
    demanding = [item for item, _ in required_by(user, now)]
    if demanding:
        names = ", ".join(item.name for item in demanding)
        raise Refused(f"{names} asks its members for a second factor; leave it first.")
    if change(delete(TotpFactor).where(TotpFactor.user_id == user.id)) != 1:
        raise Conflict("There is no authenticator app to remove.")
    db.session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    accounts.end_sessions(user, keep=keep.id, now=now)
    body = "Your password alone opens it now. All other sessions have ended."
    _warn(user, "The second factor of your account was removed", body, now)
    record(user, "account.factor_remove", by, now)


def required_by(user: User, now: datetime) -> list[tuple[Workspace, datetime]]:
    """The workspaces of a person that ask for a second factor, and from when on they insist.

    Those whose date is still to come are among them; compare with ``now``.
    """
    query = (
        select(Workspace)
        .join(Membership, Membership.workspace_id == Workspace.id)
        .where(
            Membership.user_id == user.id,
            Membership.suspended_at.is_(None),
            Workspace.factor_from.is_not(None),
            Workspace.deleted_at.is_(None),
        )
        .order_by(Workspace.factor_from)
    )
    return [(item, item.factor_from or now) for item in db.session.scalars(query)]


def lacking(workspace: Workspace, user: User, now: datetime) -> bool:
    """Whether a workspace insists on a second factor that this person does not have."""
    since = workspace.factor_from
    return since is not None and since <= now and confirmed(user) is None


def demand_for_live(user: User) -> None:
    """Real money needs two factors. Raises ``Refused``."""
    if confirmed(user) is None:
        raise Refused(
            "Live trading needs a second factor. Set one up under Security in your account, "
            "then come back."
        )


def _advance(user: User, step: int) -> bool:
    """Take a step once, and no older one after it: of two who try the same code, one passes."""
    taken = change(
        update(TotpFactor)
        .where(TotpFactor.user_id == user.id, TotpFactor.last_step < step)
        .values(last_step=step)
    )
    return taken == 1


def _new_codes(user: User, now: datetime) -> list[str]:
    db.session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    codes = []
    for _ in range(CODES):
        plain = base64.b32encode(secrets.token_bytes(_CODE_BYTES)).decode().lower()
        codes.append("-".join(plain[place : place + 4] for place in range(0, len(plain), 4)))
        row = RecoveryCode(user_id=user.id, code_hash=_digest(user, codes[-1]), created_at=now)
        db.session.add(row)
    db.session.flush()
    return codes


def _seed(factor: TotpFactor, locker: Locker) -> bytes:
    try:
        return locker.open(_PURPOSE, factor.user_id, factor.sealed)
    except Locked as error:
        raise Refused(
            "Your second factor cannot be checked: the server's SECRET_KEY was replaced. "
            "Whoever runs it must name the old one too."
        ) from error


def _digest(user: User, code: str) -> str:
    """A plain hash does for 120 random bits; the id keeps equal codes of two people apart."""
    plain = "".join(letter for letter in code.lower() if letter.isalnum())
    return hashlib.sha256(f"{user.id} {plain}".encode()).hexdigest()


def _digits(code: str) -> str:
    return "".join(code.split())


def _throttle(user: User, now: datetime) -> None:
    throttle.check(AuditEvent.target_id == user.id, ACTION, LIMITS, _TOO_MANY, now)


def _warn(user: User, title: str, body: str, now: datetime) -> None:
    cure = "If it was not you, change your password and tell whoever runs this server."
    alerts.warn(user, title, f"{body} {cure}", now=now)
