"""Forms at public doors whose answer goes by mail: the same for every address."""

from collections.abc import Callable

from flask.typing import ResponseReturnValue

from app import current
from app.domain.errors import TooMany
from app.forms.base import Form
from app.web.hypermedia import redirect_to


def take(
    form: Form,
    ask: Callable[[], object],
    page: Callable[[], str],
    then: str,
) -> ResponseReturnValue:
    """Keep what was asked for and lead on; else the page again, with what is wrong.

    Args:
        form: what was typed.
        ask: the verb, which asks for a letter.
        page: the form's page.
        then: the address that says what happens next.
    """
    if current.config().mail_server is None:
        return page(), 409
    try:
        if not form.accepts(ask):
            return page(), 422
    except TooMany as refusal:
        form.adopt(refusal)
        return page(), 429, {"Retry-After": str(refusal.wait)}
    return redirect_to(then)
