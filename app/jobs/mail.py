"""The letters' job."""

from app.jobs import effect
from app.jobs.worker import in_app


@in_app
def send_mail(mail_id: str) -> None:
    """Try to send one letter; running it twice, late or in vain changes nothing."""
    effect.send(mail_id)
