"""
Logs: events with facts, on standard error.

JSON, one event a line; on a terminal, lines for people. No secret of the configuration leaves in
an event, however it is spelt (law 9).
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterable
from contextlib import suppress
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, TextIO, cast

import structlog
from pydantic import BaseModel, SecretStr

from exchanger.app.defaults import LogLevel
from exchanger.config.models import Config
from exchanger.redaction import Redactor, secret_parts

if TYPE_CHECKING:
    from structlog.typing import EventDict, WrappedLogger


def set_up_logs(level: LogLevel, config: Config | None = None) -> None:
    """
    Send every log event of this process to standard error.

    Args:
        level: The least level.
        config: Its secrets are taken out of every event.
    """
    on_terminal = sys.stderr.isatty()
    renderer: Any = (
        structlog.dev.ConsoleRenderer() if on_terminal else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            # The events of children that the daemon passes on have their own time.
            structlog.processors.MaybeTimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            Redaction(secrets_of(config) if config else ()),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=structlog.WriteLoggerFactory(file=cast("TextIO", _Patient(sys.stderr))),
        cache_logger_on_first_use=False,
    )


def set_up_library_logs(config: Config) -> None:
    """
    Hand events to the loggers of the standard library, below ``exchanger``; print nothing.

    A program that has configured structlog itself gets them there instead.

    Args:
        config: Its secrets, and those of configurations before, are taken out of every event.
    """
    ours = [one for one in structlog.get_config()["processors"] if isinstance(one, Redaction)]
    if structlog.is_configured() and not ours:
        return
    secrets = [*secrets_of(config), *(secret for one in ours for secret in one.secrets)]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.contextvars.merge_contextvars,
            structlog.processors.format_exc_info,
            Redaction(secrets),
            structlog.processors.KeyValueRenderer(key_order=["event"]),
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    # Without any handler, warnings would be printed.
    logging.getLogger("exchanger").addHandler(logging.NullHandler())


def log_everything() -> None:
    """
    Log what others would write on standard error as plain text: libraries, warnings, threads.

    For a process whose log is read by a program: each line of it is then an event.
    """
    logging.captureWarnings(capture=True)
    logging.getLogger().addHandler(_AsEvents())

    def unexpected(args: threading.ExceptHookArgs | sys.UnraisableHookArgs) -> None:
        structlog.get_logger().error("unexpected", exc_info=args.exc_value)

    threading.excepthook = sys.unraisablehook = unexpected


class _AsEvents(logging.Handler):
    """Turns what libraries log into events of ours."""

    def emit(self, record: logging.LogRecord) -> None:
        log_it = structlog.get_logger().log
        log_it(record.levelno, "library.said", logger=record.name, text=record.getMessage())


class _Patient:
    """Standard error, which may be gone: who reads it may have died, and a run goes on."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        with suppress(OSError):
            self._stream.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()


def secrets_of(model: BaseModel) -> list[str]:
    """Collect every secret value of a configuration, or of a part of it."""
    found: list[str] = []
    for name in type(model).model_fields:
        value = getattr(model, name)
        for part in _parts(value):
            if isinstance(part, SecretStr):
                found += [part.get_secret_value(), *secret_parts(part.get_secret_value())]
            elif isinstance(part, BaseModel):
                found += secrets_of(part)
    return found


def _parts(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, tuple) else (value,)


def clean(text: str) -> str:
    """Take the secrets that the logs know of out of a text for people."""
    for processor in structlog.get_config()["processors"]:
        if isinstance(processor, Redaction):
            return processor.text(text)
    return text


class Redaction:
    """
    A structlog processor that takes secrets out of events.

    Args:
        secrets: What must not leave, in any spelling that ``Redactor`` knows.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        self.secrets = list(secrets)
        self._redactor = Redactor(self.secrets)

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        """Return the event with every value cleaned; what is no plain value becomes text."""
        return {key: self._clean(value) for key, value in event.items()}

    def _clean(self, value: Any) -> Any:
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, dict):
            return {self.text(str(key)): self._clean(part) for key, part in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._clean(part) for part in value]
        if isinstance(value, datetime | date):
            return value.isoformat()
        return self.text(str(value))

    def text(self, text: str) -> str:
        """Return a text of any length with every secret replaced."""
        # Line by line: the redactor cuts what is too long for a line, and a traceback has many.
        return "\n".join(map(self._redactor.clean, text.split("\n")))
