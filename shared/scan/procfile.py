"""A Procfile: what its author starts, process type by process type."""

import re

from shared.scan import source_port
from shared.scan.draft import Draft
from shared.scan.view import Folder
from shared.scan.words import start_line, start_words

PROCESSES_MAX = 50
_LINE = re.compile(r"([A-Za-z0-9_-]{1,63}):[ \t]*(\S.*)")


def processes(folder: Folder) -> dict[str, tuple[str, int]]:
    """Return each process type's command and its line."""
    found: dict[str, tuple[str, int]] = {}
    for number, line in enumerate(folder.text("Procfile").splitlines(), 1):
        match = _LINE.fullmatch(line.strip())
        if match and len(found) < PROCESSES_MAX:
            found.setdefault(match[1], (match[2].strip(), number))
    return found


def learn_procfile(draft: Draft, folder: Folder) -> None:
    """Take in the start command of the process type `web`; it beats what would be guessed."""
    found = processes(folder)
    file = folder.at("Procfile")
    if "web" in found:
        line, number = found["web"]
        command = start_words(_surrounded(line, draft))
        if command:
            draft.learn(file, f"web (line {number})", start_command=command)
            draft.forget("output", "static_hint")
            _learn_port(draft, line, file, f"web (line {number})")
        else:
            draft.warn("procfile", f"the web command of {file} cannot be taken apart", "close its quotes")
    others = sorted(set(found) - {"web"})
    if others:
        message = f"{file} also starts {', '.join(others)}: only web takes requests and is proposed"
        draft.note("other-processes", message, file=file)


def _surrounded(line: str, draft: Draft) -> str:
    """Return a command that finds the programs that were installed beside it."""
    told = [f'PATH="$PWD/{draft.programs}:$PATH"'] if draft.programs else []
    told += [draft.environment] if draft.environment else []
    return f"export {' '.join(told)}; {start_line(line)}" if told else line


def _learn_port(draft: Draft, line: str, file: str, at: str) -> None:
    port = source_port.in_command(line, file, at)
    if port:
        number = port.number or draft.port
        draft.learn(file, at, port=number, port_given=port.given)
