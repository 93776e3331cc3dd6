"""Articles (知识条目) and what was asked without a good answer."""

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class Article(Base):
    """``key`` is the outside id, ``also`` other ways to ask, ``answer`` Markdown. ``status``: draft, published."""

    __tablename__ = "articles"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(120), unique=True)
    question: Mapped[str] = mapped_column(Text)
    answer: Mapped[str] = mapped_column(Text)
    category: Mapped[str] = mapped_column(String(60), default="")
    tags: Mapped[list[str]]
    also: Mapped[list[str]]
    status: Mapped[str] = mapped_column(String(20), default="published")
    shipped: Mapped[str | None] = mapped_column(String(64))  # hash of the shipped text, to load changes once
    helpful: Mapped[int] = mapped_column(default=0)
    unhelpful: Mapped[int] = mapped_column(default=0)
    updated_at: Mapped[datetime] = mapped_column(index=True)


class OpenQuestion(Base):
    """A question the knowledge base had no good answer to (decision suggest or none)."""

    __tablename__ = "open_questions"

    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(String(500))
    decision: Mapped[str] = mapped_column(String(10))
    at: Mapped[datetime]
