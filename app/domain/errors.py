"""What a verb can answer besides success; each becomes a page or, at the gate, a status."""


class DomainError(Exception):
    """Base of all refusals. The text is written for the person who asked."""


class Refused(DomainError):
    """A rule forbids it; the text says which and what to do."""


class Conflict(DomainError):
    """Somebody or something else was first; look again."""


class Overtaken(Conflict):
    """Somebody published meanwhile; what they changed is to be shown."""


class Invalid(DomainError):
    """A value does not do. ``field`` names the form field that carried it, if one did."""

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class TooMany(DomainError):
    """Asked too often; ``wait`` is how many seconds to leave it be."""

    def __init__(self, message: str, wait: int) -> None:
        super().__init__(message)
        self.wait = wait


class Gone(DomainError):
    """A newer generation exists; the caller must stop."""


class NotAllowed(DomainError):
    """The proof offered does not hold; says nothing about why."""


class Misplaced(NotAllowed):
    """The proof holds, and comes from a wrong address; what was written about that is kept."""
