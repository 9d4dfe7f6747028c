"""A JSON Schema and what it has against a value, told by the places where that stands."""

import re
from typing import Any

from jsonschema import Draft7Validator
from jsonschema.exceptions import ValidationError

Location = tuple[str | int, ...]


class Judge:
    """One schema, and parts of it."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self.schema = schema
        self._whole = Draft7Validator(schema)

    def refused(self, value: Any, definition: str = "") -> list[Location]:
        """Return where a value is not as the schema says, or one of its definitions, each place once."""
        part = self.schema["definitions"][definition] if definition else self.schema
        errors = self._whole.evolve(schema=part).iter_errors(value)
        return [*dict.fromkeys(place for error in errors for place in _places_of(error))]

    def takes(self, value: Any, part: dict[str, Any]) -> bool:
        """Tell whether a part of the schema has nothing against a value."""
        return bool(self._whole.evolve(schema=part).is_valid(value))


def _places_of(error: ValidationError) -> list[Location]:
    """Return where the mistake stands: at the key that is missing or too many, not at its mapping."""
    schema, names = error.schema, error.instance
    if error.validator == "required":
        keys = [name for name in error.validator_value if name not in names]
    elif error.validator == "additionalProperties":
        patterns = schema.get("patternProperties", ())
        free = [name for name in names if name not in schema.get("properties", ())]
        keys = [name for name in free if not any(re.search(pattern, name) for pattern in patterns)]
    else:
        return [tuple(error.absolute_path)]
    return [(*error.absolute_path, key) for key in keys]
