"""Structured logs: one JSON object a line, with the request id or the event id that is being worked on.

Personal data never goes into a log line: log ids and codes, not inputs.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

from chassis.settings import Settings

# structlog loads rich where that is installed: 4 MB in each process for coloured tracebacks that no service prints.
_modules: dict[str, Any] = sys.modules
_rich = _modules.setdefault("rich", None)  # None: the import system's word for "not there"
import structlog  # noqa: E402 - see above

if _rich is None:
    del _modules["rich"]

bind = structlog.contextvars.bind_contextvars
bound = structlog.contextvars.bound_contextvars
clear = structlog.contextvars.clear_contextvars


def configure(settings: Settings, service: str) -> None:
    """JSON to stdout for our own and for libraries' loggers."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
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
    for noisy in ("aiokafka", "pymongo", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def get(name: str) -> Any:
    """A logger: `log.info("relay_started", epoch=3)`, an event name and fields."""
    return structlog.stdlib.get_logger(name)
