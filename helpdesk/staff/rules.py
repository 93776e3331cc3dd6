"""Roles, presence and skill groups (技能组)."""

from enum import StrEnum


class Role(StrEnum):
    """What a member of staff is for."""

    AGENT = "agent"
    SUPERVISOR = "supervisor"
    EDITOR = "editor"
    PLANNER = "planner"
    ADMIN = "admin"


SERVES = {Role.AGENT, Role.SUPERVISOR, Role.ADMIN}
OVERSEES = {Role.SUPERVISOR, Role.ADMIN}  # may look at every talk
EDITS = {Role.EDITOR, Role.ADMIN}  # may teach the bot new phrases


class Presence(StrEnum):
    """Whether an agent takes talks. ``offline`` gives the held ones back."""

    ONLINE = "online"
    BUSY = "busy"
    AWAY = "away"
    OFFLINE = "offline"


SKILLS = {
    "general": "综合咨询",
    "orders": "订单与支付",
    "logistics": "物流配送",
    "after_sales": "售后与退换",
    "technical": "安装维修",
    "complaints": "投诉处理",
    "corporate": "企业采购",
}

SKILL_OF_INTENT = {
    "query_order": "orders",
    "cancel_order": "orders",
    "payment_problem": "orders",
    "request_invoice": "orders",
    "price_protection": "orders",
    "change_address": "logistics",
    "track_logistics": "logistics",
    "urge_shipping": "logistics",
    "report_not_received": "logistics",
    "return_goods": "after_sales",
    "exchange_goods": "after_sales",
    "query_refund": "after_sales",
    "report_item_problem": "after_sales",
    "request_repair": "technical",
    "book_installation": "technical",
    "reschedule_visit": "technical",
    "query_warranty": "technical",
    "complaint": "complaints",
    "enterprise_purchase": "corporate",
}
CAPACITY_MOST = 20
