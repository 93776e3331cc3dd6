"""Finds a second wish in a message: its clauses are read one by one, and a clear request among them that is another one counts."""

import re
from typing import Any, Callable, Dict, List, Text, Tuple

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


Entities = List[Dict[Text, Any]]
Read = Callable[[List[Tuple[Text, Entities]]], List[Tuple[Text, float]]]


def clauses(text: Text, entities: Entities) -> List[Tuple[Text, Entities]]:
    """The parts of a message that could each hold a wish, with the entities in them (offsets count in the part)."""
    borders = [(0, 0), *(match.span() for match in CLAUSE.finditer(text)), (len(text), len(text))]
    parts = [(before, after) for (_, before), (after, _) in zip(borders, borders[1:]) if after - before >= LEAST]
    return [
        (
            text[start:end],
            [
                {**e, "start": e["start"] - start, "end": e["end"] - start}
                for e in entities
                if start <= e["start"] and e["end"] <= end
            ],
        )
        for start, end in parts
    ]


def also(text: Text, entities: Entities, first: Text, read: Read) -> List[Text]:
    """Further wishes besides ``first``. ``read`` gives the intent and confidence of each clause."""
    found: List[Text] = []
    parts = clauses(text, entities) if first not in NO_WISH else []
    if len(parts) < 2:
        return []
    for intent, sure in read(parts):
        kin = {first, *found}
        if intent in NO_WISH or intent in kin or sure < SURE:
            continue
        if any(intent in group and kin & group for group in SAME_MATTER):
            continue
        found.append(intent)
    return found
