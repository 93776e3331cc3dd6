"""What a complaint must hold, and by when it is answered. Source: docs/shop.md, service hours."""

import re
from datetime import datetime, timedelta

FIRST_ANSWER_WITHIN = timedelta(hours=24)
TOLD_FROM = 8  # characters beyond the bare wish: then the customer has said what happened

BARE = re.compile(
    r"我?(?:真的|就是|现在|必须|一定)?(?:想要?|需要|得)?(?:要|来)?(?:投诉|举报|反映)(?:一下|个(?:问题|情况|事)?|你们(?:客服|公司|店|平台)?|电话|渠道|入口|建议)?"
    r"|(?:怎么|在哪|去哪|哪里|如何)(?:里|儿)?(?:投诉|反映)?|(?:提|给你们提)(?:一?[个点条])?(?:建议|意见)|你们|我|要|的|了|啊|呢|吧|吗|请|帮|给"
)


def beyond_wish(text: str) -> str:
    """What is left of a message without the bare wish to complain (or suggest), punctuation and small words."""
    return re.sub(r"[^\w\u4e00-\u9fff]", "", BARE.sub("", text))


def tells(text: str) -> bool:
    """Whether the message says what happened, not only that the customer wants to complain."""
    return len(beyond_wish(text)) >= TOLD_FROM


def first_answer_by(now: datetime) -> datetime:
    """By when somebody answers for the first time."""
    return now + FIRST_ANSWER_WITHIN
