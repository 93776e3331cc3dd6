"""Kinds of tickets and by when they are settled. Source: docs/shop.md."""

from datetime import datetime, timedelta
from enum import StrEnum


class TicketKind(StrEnum):
    """What a ticket is about."""

    COMPLAINT = "complaint"
    LOST_PARCEL = "lost_parcel"
    DELIVERY = "delivery"
    ADDRESS = "address"
    INVOICE = "invoice"
    PAYMENT = "payment"
    ACCOUNT = "account"
    PRIVACY = "privacy"
    CALLBACK = "callback"
    MESSAGE = "message"
    OTHER = "other"

    @property
    def label(self) -> str:
        """As customers and agents read it."""
        return {
            "complaint": "投诉",
            "lost_parcel": "包裹核查",
            "delivery": "催促配送",
            "address": "改址拦截",
            "invoice": "发票处理",
            "payment": "支付核查",
            "account": "账号问题",
            "privacy": "个人信息",
            "callback": "回电",
            "message": "留言",
            "other": "其他",
        }[self]


class TicketStatus(StrEnum):
    """The states of a ticket."""

    OPEN = "open"
    WORKING = "working"
    WAITING = "waiting"
    SOLVED = "solved"

    @property
    def label(self) -> str:
        """As customers and agents read it."""
        return {"open": "已受理", "working": "处理中", "waiting": "等待您补充", "solved": "已解决"}[self]


FOLLOW_UPS = (TicketKind.CALLBACK, TicketKind.MESSAGE)  # the customer asks for these; agents work them off


def due_at(kind: TicketKind, urgent: bool, now: datetime) -> datetime:
    """By when it is to be settled: complaints 3 days (first answer within one), parcels 2 days, the rest 1–2 days."""
    if urgent:
        return now + timedelta(hours=24)
    days = {TicketKind.COMPLAINT: 3, TicketKind.LOST_PARCEL: 2, TicketKind.PRIVACY: 15}.get(kind, 2)
    return now + timedelta(days=days)
