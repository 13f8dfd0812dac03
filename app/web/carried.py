"""What was typed into a form, carried through a question that has to be answered first."""

import re

from flask import request

ASKED = ("csrf_token", "confirm_password", "confirm_code")
"""Fields of the question itself."""

_SECRET = re.compile(r"password|passphrase|secret|token|(^|[_-])(key|code)$", re.IGNORECASE)


def typed() -> list[tuple[str, str]]:
    """The fields of this request in their order, without secrets, files and the question's own."""
    return [
        (name, value)
        for name, value in request.form.items(multi=True)
        if name not in ASKED and not _SECRET.search(name)
    ]


def left_out() -> bool:
    """Whether something was typed or chosen that is not carried and must be given again."""
    secrets = any(
        value and name not in ASKED and _SECRET.search(name)
        for name, value in request.form.items(multi=True)
    )
    return secrets or any(file.filename for file in request.files.values())
