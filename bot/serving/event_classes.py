"""Replaces ``Event.resolve_by_type``: it walks all subclasses of Event for every event of every turn; here a table does."""

from functools import lru_cache

from rasa.shared.core.events import Event


def install() -> None:
    """Remembers each name's class. (A name nobody knows still raises, every time.)"""
    Event.resolve_by_type = staticmethod(lru_cache(maxsize=None)(Event.resolve_by_type))  # type: ignore[method-assign]
