"""What an agent may give, how talks are tagged, and what a ticket says about the customer's wish. Source: docs/shop.md."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from helpdesk.staff.rules import Role
from helpdesk.tickets.rules import FOLLOW_UPS, TicketKind


@dataclass(frozen=True)
class Template:
    """A coupon that says sorry. ``threshold_cents``: from which purchase on it can be used; 0: any."""

    id: str
    title: str
    amount_cents: int
    threshold_cents: int = 0


COUPON_VALID = timedelta(days=30)
TEMPLATES = (
    Template("sorry_10", "10 元致歉券", 1_000),
    Template("sorry_20", "20 元致歉券", 2_000),
    Template("sorry_50", "50 元致歉券", 5_000, 19_900),
    Template("sorry_100", "100 元致歉券", 10_000, 49_900),
)
LIMIT_CENTS = {Role.AGENT: 5_000, Role.SUPERVISOR: 10_000, Role.ADMIN: 10_000}


def template(name: str) -> Template | None:
    """The template with this id; None when there is none."""
    return next((each for each in TEMPLATES if each.id == name), None)


def may_give(role: str, coupon: Template) -> bool:
    """Whether somebody in this role may give such a coupon."""
    return coupon.amount_cents <= LIMIT_CENTS.get(Role(role), 0)


def most_used(tagged: Iterable[Sequence[str]], most: int) -> list[str]:
    """The tags that stand on the most talks, the most used first; as often used: by name."""
    counted = Counter(tag for tags in tagged for tag in set(tags))
    return [tag for tag, _ in sorted(counted.items(), key=lambda found: (-found[1], found[0]))][:most]


OPENED_BY_AGENTS = tuple(kind for kind in TicketKind if kind not in FOLLOW_UPS)

INTENT_OF_TICKET = {  # what the customer wanted, as the bot should have read it
    TicketKind.COMPLAINT: "complaint",
    TicketKind.LOST_PARCEL: "report_not_received",
    TicketKind.DELIVERY: "urge_shipping",
    TicketKind.ADDRESS: "change_address",
    TicketKind.INVOICE: "request_invoice",
    TicketKind.PAYMENT: "payment_problem",
    TicketKind.ACCOUNT: "account_problem",
    TicketKind.PRIVACY: "privacy_request",
}
