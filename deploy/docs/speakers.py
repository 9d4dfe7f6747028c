"""Which service says which event: whoever writes its name where one is made, read from the source.

What a service says is in no table as what it hears is; this keeps the documents from telling by hand.
"""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import services
from shared import attempt_log
from shared.delivery import MessageDied
from shared.events import EVENT_TYPES, Event, LogAppended

SERVICES = Path(services.__path__[0])
BY_NAME = {event.__name__: event for event in EVENT_TYPES.values()}

# Said for a service by what it shares: a module of `shared` that makes the event.
THROUGH: Mapping[str, type[Event]] = {attempt_log.__name__: LogAppended}
BY_ALL = (MessageDied,)  # whoever hears anything may fail to take it


def said_by(service: str) -> list[type[Event]]:
    """Return what a service says, in the order of all events."""
    modules = [ast.parse(file.read_text(encoding="utf-8")) for file in (SERVICES / service).rglob("*.py")]
    found = {event for module in modules for event in _made(module)}.union(BY_ALL)
    return [event for event in (*EVENT_TYPES.values(), *BY_ALL) if event in found]


def _made(module: ast.Module) -> Iterator[type[Event]]:
    """Yield the events that are made, or handed to whoever makes one of several."""
    for node in ast.walk(module):
        match node:
            case ast.Call(func=ast.Name("isinstance" | "issubclass")):
                continue
            case ast.Call(func, args):
                handed: list[ast.expr] = [func, *args]
            case ast.Dict(values=values):
                handed = values
            case ast.ImportFrom(module=str(name)) if name in THROUGH:
                yield THROUGH[name]
                continue
            case _:
                continue
        yield from (BY_NAME[each.id] for each in handed if isinstance(each, ast.Name) and each.id in BY_NAME)
