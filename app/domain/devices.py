"""Which device a session is on, as far as browsers tell, and whether it was seen before."""

from ipaddress import ip_address, ip_network

from sqlalchemy import select

from app.domain import alerts
from app.extensions import db
from app.models import LoginSession, User

_BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iOS"),
    ("iPad", "iPadOS"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)
_SHARED = {4: 24, 6: 48}
"""The bits of an address that a household or an office keeps from day to day."""


def name(agent: str) -> str:
    """Browser and system out of a user agent, as far as it tells."""
    browser = next((name for key, name in _BROWSERS if key in agent), "Unknown browser")
    system = next((name for key, name in _SYSTEMS if key in agent), "")
    return f"{browser}, {system}" if system else browser


def network(address: str) -> str:
    """The network an address belongs to: /24 or /48; an odd address stands for itself."""
    try:
        bits = _SHARED[ip_address(address).version]
    except ValueError:
        return address
    return str(ip_network(f"{address}/{bits}", strict=False))


def warn_if_new(user: User, opened: LoginSession) -> None:
    """Tell a person of a sign-in from a device or a network that none of their sessions was on.

    The first session of an account is no news.
    """
    query = select(LoginSession.user_agent, LoginSession.ip).where(
        LoginSession.user_id == user.id, LoginSession.id != opened.id
    )
    seen = {(name(agent), network(ip)) for agent, ip in db.session.execute(query)}
    if not seen or (name(opened.user_agent), network(opened.ip)) in seen:
        return
    alerts.warn(
        user,
        "Your account was opened on a new device",
        f"{name(opened.user_agent)}, from {opened.ip}. If it was not you, change your password; "
        "that ends all other sessions.",
        now=opened.created_at,
    )
