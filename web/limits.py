"""Limits for people, not for attackers; all are settings."""

import time

from flask import g
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

from core import settings


def per_talk() -> str:
    """One bucket a talk."""
    return f"talk:{getattr(g, 'conversation_id', None) or get_remote_address()}"


limiter = Limiter(  # its storage: see app.py; while Redis is away each process counts for itself
    get_remote_address, strategy="moving-window", headers_enabled=False, in_memory_fallback_enabled=True
)
messages = limiter.shared_limit(lambda: settings.load().messages_per_talk, scope="messages", key_func=per_talk)
talks = limiter.limit(lambda: settings.load().talks_per_address)
failed_sign_ins = limiter.limit(
    lambda: settings.load().sign_ins_failed, deduct_when=lambda response: response.status_code == 401
)


def seconds_left() -> int:
    """How long until the limit that was hit lets one through."""
    hit = limiter.current_limit
    # The reset is told in whole seconds and may lie one beyond the limit's own span.
    return min(hit.limit.get_expiry(), max(1, round(hit.reset_at - time.time()))) if hit else 10


__all__ = ["failed_sign_ins", "limiter", "messages", "seconds_left", "talks"]
