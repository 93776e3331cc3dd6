"""What can be done with the knowledge base. Each takes a session of the caller, who commits."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import clock
from core.errors import Conflict, Invalid
from knowledge_base import files
from knowledge_base.cache import index_of, look_again
from knowledge_base.models import Article, OpenQuestion
from knowledge_base.rendering import plain, render
from knowledge_base.rows import Row
from knowledge_base.rules import Decision, Hit, decision, fingerprint, without_numbers

__all__ = [
    "Counts",
    "Result",
    "export_file",
    "import_file",
    "load_shipped",
    "plain",
    "remember_open_question",
    "render",
    "search",
]

SHIPPED = Path(__file__).with_name("articles")
QUESTION_CHARS = 500  # of an open question that are kept


@dataclass(frozen=True)
class Result:
    """``hits`` best first, filled whatever the ``decision``."""

    hits: list[Hit]
    decision: Decision


@dataclass(frozen=True)
class Counts:
    """Articles written or left. ``kept``: shipped articles that staff has edited, so they stay as they are."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    kept: int = 0


def search(session: Session, query: str, top: int = 5) -> Result:
    """The ``top`` published articles most like the query. Any text is taken, none raises."""
    # The decision compares the first two, however few the caller wants to see
    hits = index_of(session).search(query, max(top, 2))
    return Result(hits[: max(top, 0)], decision(hits, query))


def load_shipped(session: Session, folder: Path = SHIPPED) -> Counts:
    """Bring in the articles that ship with the program, and what a new version changed in them.

    One that staff edited since (its text is no longer the shipped one) is left alone; so is one whose id staff made.
    """
    there = _by_key(session)
    added = updated = unchanged = kept = 0
    for row in files.read_markdown(folder):
        article = there.get(row.key)
        if article is None:
            session.add(_new(row, shipped=row.fingerprint))
            added += 1
        elif article.shipped == row.fingerprint:
            unchanged += 1
        elif _fingerprint(article) not in {article.shipped, row.fingerprint}:
            kept += 1
        else:
            _write(article, row)
            article.shipped = row.fingerprint
            updated += 1
    _written(session)
    return Counts(added, updated, unchanged, kept)


def import_file(session: Session, path: Path, draft: bool = False) -> Counts:
    """Take in a CSV, TSV or JSON lines file or a folder of Markdown: everything, or nothing where a line is wrong.

    The same id again is an update, also within the file (the last line stands). Without an id, the question is the id.
    ``draft`` keeps the articles from customers until somebody publishes them.

    Raises :class:`core.errors.NotFound` (no such file), :class:`Invalid` (naming the line), and :class:`Conflict`
    where a draft would take the place of a published article, which has one text only.
    """
    rows = files.read(Path(path))
    there = _by_key(session)
    if draft and (online := [row.key for row in rows if row.key in there and _would_hide(there[row.key], row)]):
        raise Conflict(f"{online[0]} 等 {len(online)} 条已经发布，不能用草稿覆盖；请先把它们改为草稿", code="published")
    added = updated = unchanged = 0
    for row in rows:
        status = "draft" if draft else row.status
        article = there.get(row.key)
        if article is None:
            article = there[row.key] = _new(row, status=status)
            session.add(article)
            added += 1
        elif _fingerprint(article) == row.fingerprint and (draft or article.status == status):
            unchanged += 1  # as a draft too: a published article is not taken from the customers by the way
        else:
            _write(article, row)
            article.status = status
            updated += 1
    _written(session)
    return Counts(added, updated, unchanged)


def export_file(session: Session, path: Path) -> int:
    """Write all articles, drafts too, to a .csv, .tsv or .jsonl file; returns how many. Raises :class:`Invalid`."""
    path = Path(path)
    if path.is_dir():
        raise Invalid(f"{path} 是文件夹，请给出文件名", code="cannot_write")
    articles = session.scalars(select(Article).order_by(Article.key))
    rows = [Row(a.key, a.question, a.answer, a.category, tuple(a.tags), tuple(a.also), a.status) for a in articles]
    files.write(path, rows)
    return len(rows)


def remember_open_question(session: Session, text: str, decision: Decision, now: datetime) -> OpenQuestion | None:
    """Keep a question that had no good answer (suggest or none), long numbers made unreadable; None for no text."""
    asked = without_numbers(" ".join(text.replace("\x00", "").split()))[:QUESTION_CHARS]
    if not asked or decision == "answer":
        return None
    question = OpenQuestion(text=asked, decision=decision, at=now)
    session.add(question)
    return question


def _by_key(session: Session) -> dict[str, Article]:
    return {article.key: article for article in session.scalars(select(Article))}


def _new(row: Row, *, status: str = "published", shipped: str | None = None) -> Article:
    article = Article(key=row.key, status=status, shipped=shipped)
    _write(article, row)
    return article


def _write(article: Article, row: Row) -> None:
    article.question, article.answer, article.category = row.question, row.answer, row.category
    article.tags, article.also = list(row.tags), list(row.also)
    article.updated_at = clock.now()


def _fingerprint(article: Article) -> str:
    return fingerprint(article.question, article.answer, article.category, article.tags, article.also)


def _would_hide(article: Article, row: Row) -> bool:
    return article.status == "published" and _fingerprint(article) != row.fingerprint


def _written(session: Session) -> None:
    session.flush()
    look_again(session)
