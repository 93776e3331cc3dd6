"""Small things about text that several rooms need."""

import re
import unicodedata

CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


def clean(text: str) -> str:
    """The text without control characters, direction overrides, halves of characters and outer white space.

    Line breaks stay. What is left can be stored in every database and shown without surprises.
    """
    whole = text.encode("utf-8", errors="ignore").decode("utf-8")
    return CONTROL.sub("", whole.replace("\r\n", "\n")).strip()


def storable(text: str) -> bool:
    """Whether every database takes the text as it is: no NUL, no half of a character."""
    return "\0" not in text and not any("\ud800" <= c <= "\udfff" for c in text)


def readable(text: str) -> bool:
    """Whether there is anything to understand: a letter, a character or a digit (not only emoji or punctuation)."""
    return any(unicodedata.category(c)[0] in "LN" for c in text)


def yuan(cents: int) -> str:
    """Cents as customers read money: ``1,299元``, ``8.50元``."""
    whole, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{whole:,}{f'.{rest:02d}' if rest else ''}元"


def mask_phone(phone: str) -> str:
    """``138****5678``."""
    return f"{phone[:3]}****{phone[-4:]}" if len(phone) >= 8 else "****"


def shorten(text: str, most: int) -> str:
    """The text, cut with an ellipsis when it is longer than ``most`` characters."""
    return text if len(text) <= most else text[: most - 1] + "…"
