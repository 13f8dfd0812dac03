"""Which process leads a task that must run once: a lease in the database."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Model
from app.models.base import Moment


class Leadership(Model):
    """A named lease; whoever holds it past ``until`` has lost it."""

    name: Mapped[str] = mapped_column(String(24), primary_key=True)
    holder: Mapped[str] = mapped_column(String(60))
    until: Mapped[datetime] = mapped_column(Moment)
