"""A service while it is being found out: each fact with its evidence."""

from dataclasses import dataclass, field
from typing import Literal, TypedDict, Unpack

from shared.scan.result import Caution, Evidence, PortGiven
from shared.scan.source_port import FoundPort


class Facts(TypedDict, total=False):
    """What can be said of a service."""

    language: str
    framework: str
    package_manager: str
    runtime_version: str
    commands_in: str
    install_commands: tuple[str, ...]
    build_commands: tuple[str, ...]
    start_command: str
    port: int | None
    port_given: PortGiven
    output: str
    dockerfile: str
    docker_context: str
    image: str
    compose_file: str
    compose_service: str
    static_hint: str


@dataclass(slots=True)
class Draft:
    """What is known so far."""

    root: str
    name: str = ""  # as a file calls it
    file: str = ""  # by which it was found
    language: str = "unknown"
    framework: str = ""
    package_manager: str = ""
    runtime_version: str = ""
    commands_in: str = ""
    install_commands: tuple[str, ...] = ()
    build_commands: tuple[str, ...] = ()
    start_command: str = ""
    port: int | None = None
    port_given: PortGiven = ""
    output: str = ""
    dockerfile: str = ""
    docker_context: str = ""
    image: str = ""
    compose_file: str = ""
    compose_service: str = ""
    static_hint: str = ""
    serves: bool = False  # a framework that answers requests is in it
    container_start: bool = False  # its start command is the container's own
    has_manifest: bool = True  # False: only a program lies there, perhaps a part of what is above
    programs: str = ""  # where what was installed has its programs
    environment: str = ""  # what they need to be told
    no_service: str = ""  # why it is none, whatever it looks like
    evidence: dict[str, Evidence] = field(default_factory=dict)
    cautions: list[Caution] = field(default_factory=list)

    def learn(self, file: str, at: str = "", *, assumed: bool = False, **facts: Unpack[Facts]) -> None:
        """Take in what a file says."""
        for fact, value in facts.items():
            setattr(self, fact, value)
            self.evidence[fact] = Evidence(fact, file, at, assumed)

    def learn_port(self, found: FoundPort, usual: int) -> None:
        """Take in where it listens; a number that does not stand there is the custom."""
        self.learn(found.file, found.at, port_given=found.given)
        if found.number is None:
            self.learn(found.file, assumed=True, port=usual)
        else:
            self.learn(found.file, found.at, port=found.number)

    def suppose(self, file: str, at: str = "", **facts: Unpack[Facts]) -> None:
        """Take in what is the custom, where nothing is known yet."""
        for fact, value in facts.items():
            if fact not in self.evidence:
                setattr(self, fact, value)
                self.evidence[fact] = Evidence(fact, file, at, assumed=True)

    def forget(self, *facts: Literal["start_command", "output", "static_hint"]) -> None:
        """Unlearn."""
        for fact in facts:
            setattr(self, fact, "")
            self.evidence.pop(fact, None)

    def forget_port(self) -> None:
        """Unlearn where it listens."""
        self.port, self.port_given = None, ""
        self.evidence.pop("port", None)
        self.evidence.pop("port_given", None)

    def warn(self, rule: str, message: str, hint: str = "", file: str = "") -> None:
        """Keep something to tell about it."""
        self.cautions.append(Caution(rule, message, hint, file or self.file))

    def note(self, rule: str, message: str, hint: str = "", file: str = "") -> None:
        """Keep something that is only good to know."""
        self.cautions.append(Caution(rule, message, hint, file or self.file, severity="note"))

    @property
    def rank(self) -> int:
        """How sure it is that this is a service: 3 it serves, 2 it starts, 1 it is published, 0 neither."""
        if self.no_service:
            return 0
        if self.serves:
            return 3
        if self.start_command:
            return 2
        return 1 if self.output else 0

    @property
    def is_service(self) -> bool:
        """Tell whether there is anything to deploy."""
        return bool(self.dockerfile or self.compose_file or self.rank)
