"""Options that belong together and are handed to a command as one value.

A command may have as many options as its users need, and no more parameters than a reader can hold.
"""

import functools
import inspect
from collections.abc import Callable
from dataclasses import fields
from typing import TYPE_CHECKING, Any, get_type_hints

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Command = Callable[..., None]


def grouped(group: "type[DataclassInstance]") -> Callable[[Command], Command]:
    """Give a command an option for each field of a dataclass, in the place of its parameter of that type.

    The fields are annotated as options are, and each has a default.
    """
    annotations = get_type_hints(group, include_extras=True)
    options = [
        inspect.Parameter(
            each.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=each.default,
            annotation=annotations[each.name],
        )
        for each in fields(group)
    ]

    def give(command: Command) -> Command:
        hints = get_type_hints(command, include_extras=True)
        [replaced] = [name for name, hint in hints.items() if hint is group]

        @functools.wraps(command)
        def with_options(*args: Any, **given: Any) -> None:
            value = group(**{option.name: given.pop(option.name) for option in options})
            command(*args, **given, **{replaced: value})

        own = inspect.signature(command).parameters.values()
        kept = [each.replace(annotation=hints[each.name]) for each in own if each.name != replaced]
        before = [each for each in kept if each.kind is not inspect.Parameter.KEYWORD_ONLY]
        parameters = [*before, *options, *kept[len(before) :]]
        with_options.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        with_options.__annotations__ = {each.name: each.annotation for each in parameters}
        return with_options

    return give
