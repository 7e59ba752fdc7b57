"""Structured logs: one JSON object a line, with the request id or the event id that is being worked on.

Personal data never goes into a log line: log ids and codes, not inputs.
"""

from __future__ import annotations

import json
import logging
import sys
import time
import traceback
from typing import Any

from chassis.settings import Settings

# structlog loads rich where that is installed: 4 MB in each process for coloured tracebacks that no service prints.
_modules: dict[str, Any] = sys.modules
_rich = _modules.setdefault("rich", None)  # None: the import system's word for "not there"
import structlog  # noqa: E402 - see above

if _rich is None:
    del _modules["rich"]

_FRAMES = 12
_CAUSES = 5
_DETAIL = 200  # characters
_OF_CONNECTIONS = frozenset({"OSError", "ConnectionFailure", "KafkaConnectionError"})  # they name servers, never people
_access: logging.StreamHandler[Any] | None = None
_service = ""

bind = structlog.contextvars.bind_contextvars
bound = structlog.contextvars.bound_contextvars
clear = structlog.contextvars.clear_contextvars


def configure(settings: Settings, service: str) -> None:
    """JSON to stdout for our own and for libraries' loggers."""
    global _access, _service
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _name_place,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )

    def name_service(_logger: Any, _method: str, line: Any) -> Any:
        line["service"] = service
        return line

    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                name_service,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level)
    _access, _service = (handler, service) if root.isEnabledFor(logging.INFO) else (None, service)
    # It says that a reply wasn't completed, or repeats an exception: RequestContext has written the one line about it.
    logging.getLogger("uvicorn.error").addFilter(lambda record: "ASGI" not in str(record.msg))
    for noisy in ("aiokafka", "pymongo", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _name_place(_logger: Any, _method: str, line: Any) -> Any:
    """In place of an exception: the types of it and of its causes, and where it was raised.

    Never its text: that may quote what a person sent, as a duplicate key, a refused value or a parser's excerpt does.
    """
    if line.get("logger") == "asyncio":  # "Task exception was never retrieved", and behind it the exception's text
        line["event"] = str(line["event"]).partition("\n")[0]
    given = line.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        line["error"] = name_of(error)
        frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
        line["where"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    return line


def name_of(error: BaseException) -> str:
    """The type of an error and of its causes: those of MongoDB with their code, those about a connection with their text."""
    names: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(names) < _CAUSES:
        names.append(f"{type(cause).__name__}{_detail(cause)}")
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return " < ".join(names)


def _detail(error: BaseException) -> str:
    if any(kind.__name__ in _OF_CONNECTIONS for kind in type(error).__mro__):
        return f"({str(error)[:_DETAIL]})"
    code = getattr(error, "code", None)
    return f"({code})" if isinstance(code, int) else ""


def access(method: str, route: str, status: int, seconds: float, request_id: str, caller: str) -> None:
    """The one line that every request leaves: no values, only the route's template.

    Written past the logging library, whose processors would take as long as a tenth of a write (measured: 30 µs against 3).
    """
    if _access is None:
        return
    moment = time.time()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment))
    _access.stream.write(
        f'{{"event": "request", "method": {json.dumps(method)}, "route": "{route}", "status": {status}, '
        f'"ms": {seconds * 1e3:.1f}, "caller": {json.dumps(caller)}, "request_id": "{request_id}", '
        f'"logger": "chassis.http", "level": "info", "timestamp": "{stamp}.{int(moment * 1e6) % 1_000_000:06d}Z", '
        f'"service": "{_service}"}}\n'
    )
    _access.flush()


def get(name: str) -> Any:
    """A logger: `log.info("relay_started", epoch=3)`, an event name and fields."""
    return structlog.stdlib.get_logger(name)
