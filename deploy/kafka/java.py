"""The Java that runs Kafka, and how one of its programs is called."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

WARNINGS_ONLY = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"


class KafkaError(RuntimeError):
    """Kafka cannot be had or does not run; the message says what to do about it."""


@dataclass(frozen=True)
class Java:
    """Everything a Kafka program needs in order to start."""

    program: str
    jars: Path  # the folder
    archive: Path | None = None  # of classes already parsed: halves the time to start

    def command(self, options: tuple[str, ...], main: str, *arguments: str) -> list[str]:
        """Return the argument array that runs a class of Kafka's."""
        return [
            self.program,
            *options,
            *((f"-XX:SharedArchiveFile={self.archive}", "-Xlog:cds=off") if self.archive else ()),
            WARNINGS_ONLY,
            *("-cp", f"{self.jars}/*", main, *arguments),
        ]


def find_java() -> str:
    """Return the java of JAVA_HOME, else that of PATH."""
    home = os.environ.get("JAVA_HOME", "")
    candidates = [str(Path(home, "bin", "java"))] if home else []
    for candidate in [*candidates, "java"]:
        if found := shutil.which(candidate):
            return found
    raise KafkaError(
        "Kafka needs Java 17 or newer, and there is no `java` on PATH. Install it (Debian, Ubuntu: "
        "apt install openjdk-17-jre-headless; macOS: brew install openjdk@17), or set JAVA_HOME."
    )
