"""The index of each database, built at first use and again when the articles changed.

Whether they changed is asked at most once a second (two cheap numbers of the table), so other processes' edits are
found within a second. While one thread builds anew, the others go on with the old index.
"""

import threading
import time
from dataclasses import dataclass, field

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from knowledge_base.models import Article
from knowledge_base.search import Entry, Index

CHECK_EVERY_SECONDS = 1.0

type State = tuple[object, ...]


@dataclass
class _Kept:
    lock: threading.Lock = field(default_factory=threading.Lock)
    index: Index | None = None
    state: State = ()
    checked_at: float = float("-inf")


_kept: dict[tuple[str, int], _Kept] = {}
_kept_lock = threading.Lock()


def index_of(session: Session) -> Index:
    """The index of the published articles in the session's database."""
    kept = _of(session)
    if kept.index is not None and time.monotonic() - kept.checked_at < CHECK_EVERY_SECONDS:
        return kept.index
    if not kept.lock.acquire(blocking=kept.index is None):
        return kept.index or Index(())  # another thread is at it
    try:
        if time.monotonic() - kept.checked_at >= CHECK_EVERY_SECONDS:
            state = _state(session)
            if kept.index is None or state != kept.state:
                kept.index, kept.state = _build(session), state
            kept.checked_at = time.monotonic()
        return kept.index or Index(())
    finally:
        kept.lock.release()


def look_again(session: Session) -> None:
    """Have the next search ask whether the articles changed, without waiting out the second."""
    _of(session).checked_at = float("-inf")


def _of(session: Session) -> _Kept:
    engine = session.get_bind().engine
    url = engine.url.render_as_string(hide_password=False)
    # every in-memory SQLite has the same URL, but a pool of its own
    in_memory = engine.url.get_backend_name() == "sqlite" and engine.url.database in {None, "", ":memory:"}
    with _kept_lock:
        return _kept.setdefault((url, id(engine.pool) if in_memory else 0), _Kept())


def _state(session: Session) -> State:
    published = func.sum(case((Article.status == "published", 1), else_=0))
    return tuple(session.execute(select(func.count(), published, func.max(Article.updated_at))).one())


def _build(session: Session) -> Index:
    columns = (Article.key, Article.question, Article.answer, Article.category, Article.tags, Article.also)
    rows = session.execute(select(*columns).where(Article.status == "published"))
    return Index(Entry(key, q, a, category, tuple(tags), tuple(also)) for key, q, a, category, tags, also in rows)
