"""Days, where the time of day says nothing."""

from datetime import UTC, datetime

from markupsafe import Markup


def day(value: datetime) -> Markup:
    """The day in UTC, e.g. ``30 Nov 2026``: the same for every reader, as a signed report is."""
    moment = value.astimezone(UTC)
    iso = moment.isoformat().replace("+00:00", "Z")
    return Markup('<time datetime="{}">{}</time>').format(iso, f"{moment:%-d %b %Y}")
