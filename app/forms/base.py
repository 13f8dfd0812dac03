"""What all forms share: messages beside fields, and room for what the domain answers."""

import unicodedata
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from flask_wtf import FlaskForm
from wtforms import Field, FieldList, FormField, SelectChoice
from wtforms.validators import InputRequired, Length

from app import current
from app.domain.errors import Conflict, Invalid, Refused

Result = TypeVar("Result")
CONTROL = "This holds a control character, which cannot be kept; type it anew."


class Form(FlaskForm):
    """A form whose token is checked once for every POST, before any form is looked at."""

    class Meta:
        csrf = False

    def validate(self, extra_validators: Any = None) -> bool:
        """Check the shape; a text with control characters has none that a database takes."""
        sound = super().validate(extra_validators)
        for field in leaves(self):
            if any(has_control(text) for text in field.raw_data or ()):
                field.errors = [CONTROL]
                sound = False
        return bool(sound)

    def accepts(self, verb: Callable[[], object]) -> bool:
        """Run ``verb`` if the shape is right; ``False`` if it was not done."""
        return self.attempt(lambda: (verb(),)) is not None

    def attempt(self, verb: Callable[[], Result]) -> Result | None:
        """Run ``verb`` if the shape is right; a refusal becomes a message and ``None``."""
        if not self.validate():
            return None
        try:
            return verb()
        except (Invalid, Refused, Conflict) as error:
            if isinstance(error, Refused):
                current.refuse(str(error))
            self.adopt(error)
            return None

    def adopt(self, error: Exception) -> None:
        """Put what the domain said beside the field it names, or above the form."""
        field = self.field_of(getattr(error, "field", None))
        if field is None:
            self.form_errors.append(str(error))
        else:
            field.errors = [*field.errors, str(error)]

    def field_of(self, name: str | None) -> Field | None:
        """The field that carries what the domain calls ``name``."""
        return self._fields.get(name) if name else None

    def fault_list(self) -> list[tuple[str | None, str]]:
        """Each fault with the id of its field, in the order of the page."""
        faults = [(field.id, message) for field in self for message in field.errors[:1]]
        return [*((None, message) for message in self.form_errors), *faults]


def leaves(fields: Iterable[Field]) -> Iterator[Field]:
    """The fields that hold a value, those of rows and of parts included."""
    for field in fields:
        if isinstance(field, FieldList | FormField):
            yield from leaves(field)
        else:
            yield field


def has_control(text: object) -> bool:
    """Whether a text holds a control character; line ends and tabs are none."""
    return isinstance(text, str) and any(
        unicodedata.category(letter) == "Cc" and letter not in "\t\n\r" for letter in text
    )


def offered(pairs: Iterable[tuple[str, str]], group: str | None = None) -> list[SelectChoice]:
    """Choices from pairs of value and label."""
    return [SelectChoice(value, label, optgroup=group) for value, label in pairs]


def needed(message: str, most: int = 200) -> list[Any]:
    """Validators of a text that must be there."""
    return [
        InputRequired(message),
        Length(max=most, message=f"Use at most {most} characters."),
    ]


def squeezed(text: str | None) -> str | None:
    """A text without blanks around it."""
    return text.strip() if text else text
