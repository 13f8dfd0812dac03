"""Bodies that programs send: no longer than they may be, however they are sent."""

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge


def of_at_most(most: int) -> bytes:
    """What was sent. Raises ``RequestEntityTooLarge`` for more than ``most`` bytes.

    A body whose length nobody told would be cut at the limit and taken for whole, so one byte more
    is let in.
    """
    request.max_content_length = most + 1
    found = request.get_data(cache=False)
    if len(found) > most:
        raise RequestEntityTooLarge
    return found
