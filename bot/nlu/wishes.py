"""Finds a second wish in a message: its clauses are read one by one, and a clear request among them that is another one counts."""

import re
from typing import Callable, List, Text, Tuple

CLAUSE = re.compile(r"[,，。.!！?？;；、\s]+|(?:另外|还有就?是?|顺便|对了|然后再?|以及|同时)")
LEAST = 3  # characters of a clause that can hold a wish
SURE = 0.55
NO_WISH = {
    "greet",
    "goodbye",
    "thank",
    "affirm",
    "deny",
    "cancel_flow",
    "chitchat",
    "inform",
    "out_of_scope",
    "bot_challenge",
    "praise",
    "complaint",
    "faq",
    "give_rating",
    "suggestion",
}
# One matter told in two clauses, not two: the second only says more about the first.
SAME_MATTER = [
    {"query_order", "track_logistics", "urge_shipping"},
    {"return_goods", "query_refund", "exchange_goods", "report_item_problem", "cancel_order"},
    {"request_repair", "query_warranty", "product_consult", "query_service_progress", "report_item_problem"},
    {"book_installation", "reschedule_visit"},
    {"product_recommend", "product_consult", "query_stock", "query_promotion"},
    {"query_coupon", "query_promotion", "price_protection"},
    {"account_problem", "update_profile"},
    {"report_not_received", "track_logistics", "urge_shipping"},
]


def clauses(text: Text) -> List[Text]:
    """The parts of a message that could each hold a wish."""
    return [part for part in CLAUSE.split(text) if part and len(part) >= LEAST]


def also(text: Text, first: Text, read: Callable[[Text], Tuple[Text, float]]) -> List[Text]:
    """Further wishes besides ``first``. ``read`` gives the intent and confidence of a clause."""
    found: List[Text] = []
    parts = clauses(text)
    if len(parts) < 2 or first in NO_WISH:
        return []
    for part in parts:
        intent, sure = read(part)
        kin = {first, *found}
        if intent in NO_WISH or intent in kin or sure < SURE:
            continue
        if any(intent in group and kin & group for group in SAME_MATTER):
            continue
        found.append(intent)
    return found
