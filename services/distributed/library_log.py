"""What libraries say through `logging`, as lines of our own log instead of bare text between them."""

import logging

import structlog

RETOLD = "aiokafka"  # our bus says in its own words what of it matters; in full with log_level debug

log = structlog.get_logger()


class LibraryLog(logging.Handler):
    """Hands records on."""

    def emit(self, record: logging.LogRecord) -> None:
        """Say it."""
        level = logging.DEBUG if record.name.startswith(RETOLD) else record.levelno
        log.log(
            level,
            "library.said",
            library=record.name,
            text=record.getMessage(),
            exc_info=record.exc_info or None,
        )


def listen() -> None:
    """Take over from what `logging` does when nobody has told it anything."""
    logging.getLogger().addHandler(LibraryLog(logging.WARNING))
