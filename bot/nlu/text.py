"""Text as the components read it: folded to one form, with a way back to the customer's own characters."""

import re
import unicodedata
from functools import lru_cache
from typing import Tuple

from opencc import OpenCC

REPEATED = re.compile(r"(.)\1{2,}")
NUMBER = re.compile(r"[0-9]+")
EMPTY = re.compile(r"\s+")


@lru_cache(maxsize=1)
def _to_simplified() -> OpenCC:
    return OpenCC("t2s")


@lru_cache(maxsize=2048)  # every component asks for the same message
def fold(text: str) -> Tuple[str, Tuple[int, ...]]:
    """The text in NFKC, lower case and simplified characters, and for each of its characters the index it had before.

    One character at a time, so that an entity found in the folded text can be cut out of the original.
    """
    folded = []
    origin = []
    for index, character in enumerate(text):
        for part in unicodedata.normalize("NFKC", character).lower():
            folded.append(part)
            origin.append(index)
    simplified = _to_simplified().convert("".join(folded))
    if len(simplified) != len(origin):  # a phrase became longer or shorter: keep the offsets, lose the phrase
        simplified = "".join(_to_simplified().convert(c)[:1] or c for c in folded)
    return simplified, tuple(origin)


def shape(folded: str) -> str:
    """The text for the classifier: white space dropped, long repeats cut to two, numbers to a mark of their length."""

    def mark(match: "re.Match[str]") -> str:
        length = len(match.group())
        if length <= 2:
            return match.group()
        if length == 4:
            return "④"
        if length == 11 and match.group()[0] == "1":
            return "☎"
        return "№" if length >= 8 else "③"

    text = NUMBER.sub(mark, EMPTY.sub("", folded))
    return REPEATED.sub(r"\1\1", text)
