"""Knocking at our own website, as whoever measures whether it answers."""

import requests

_SECONDS = (1.0, 2.0)
"""To connect, and to wait for the answer: the timetable must not stand still meanwhile."""


def answers(base_url: str) -> bool:
    """Whether the website at ``base_url`` says that it can work."""
    try:
        answer = requests.get(f"{base_url}/readyz", timeout=_SECONDS, allow_redirects=False)
    except requests.RequestException:
        return False
    return answer.status_code == 200
