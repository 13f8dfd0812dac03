"""The job that decides on mail that came in."""

from app.jobs import effect
from app.jobs.worker import in_app


@in_app
def take_in_mail(mail_id: str) -> None:
    """Decide on one mail; running it twice, late or in vain changes nothing."""
    effect.take_in(mail_id)
