"""Logging: one JSON line an event, without what customers say and without secrets."""

import logging
import sys

import structlog

from core import settings

QUIET = ("werkzeug", "engineio", "socketio", "httpx", "httpcore", "jieba", "rasa_sdk", "sanic.access")


def set_up(process: str) -> None:
    """Sends everything to standard error as JSON lines with the time, the level and the process's name."""
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        lambda _logger, _name, event: {"process": process, **event},
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.load().log_level)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
