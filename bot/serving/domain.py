"""Replaces ``Domain.is_empty``: it turns the whole domain, and an empty one, into dictionaries for every message."""

from rasa.shared.core.domain import Domain

_is_empty = Domain.is_empty


def is_empty(domain: Domain) -> bool:
    """Whether the domain has nothing in it; a loaded domain does not change."""
    known = domain.__dict__.get("_known_as_empty")
    if known is None:
        known = domain._known_as_empty = _is_empty(domain)  # type: ignore[attr-defined]
    return bool(known)


def install() -> None:
    """Asks each domain once."""
    Domain.is_empty = is_empty  # type: ignore[method-assign]
