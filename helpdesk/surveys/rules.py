"""Reading a rating from words. Scores are 1 (very bad) to 5 (very good)."""

import re

WORST, BEST = 1, 5
LOW = 2  # up to here we ask what went wrong
WORDS = (
    (r"非常不满意|很不满意|极不满意|极差|差评|零分|(?<!\d)0\s*分|垃圾", 1),
    (r"不太满意|不满意|较差|不好", 2),
    (r"非常满意|很满意|十分满意|超满意|好评|满分|优秀|完美|100\s*分", 5),
    (r"比较满意|挺满意|还不错|良好|满意", 4),
    (r"一般|还行|凑合|及格|中评", 3),
)
DIGITS = {"一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "十": 10}


def score(text: str, found: str | None = None) -> int | None:
    """The score a message gives: the recognised ``found`` (1–5) first, then words, then a number out of ten or five."""
    if found is not None and found.isdigit() and WORST <= int(found) <= BEST:
        return int(found)
    for words, value in WORDS:
        if re.search(words, text):
            return value
    number = re.search(r"(?<!\d)(10|[0-9])(?!\d)|([一二两三四五六七八九十])(?=分|星|颗)", text)
    if not number:
        return None
    value = int(number[1]) if number[1] else DIGITS[number[2]]
    return max(WORST, value if value <= BEST else (value + 1) // 2)
