"""Returns, exchanges, resends and refunds. Source of every number: docs/shop.md."""

from enum import StrEnum


class CaseKind(StrEnum):
    """What the customer wants with delivered goods."""

    RETURN = "return"
    EXCHANGE = "exchange"
    RESEND = "resend"

    @property
    def label(self) -> str:
        """As the customer reads it."""
        return {"return": "退货", "exchange": "换货", "resend": "补发"}[self]


class CaseStatus(StrEnum):
    """The states of an after-sales case."""

    PICKUP = "pickup"  # pick-up is booked
    RETURNING = "returning"  # on its way back
    CHECKING = "checking"  # in the warehouse
    SENDING = "sending"  # the new piece is on its way
    DONE = "done"
    CANCELLED = "cancelled"
    REFUSED = "refused"

    @property
    def label(self) -> str:
        """As the customer reads it."""
        return {
            "pickup": "待上门取件",
            "returning": "寄回途中",
            "checking": "仓库验收中",
            "sending": "新商品已寄出",
            "done": "已完成",
            "cancelled": "已取消",
            "refused": "验收未通过",
        }[self]


class RefundStatus(StrEnum):
    """The states of a refund."""

    WAITING_GOODS = "waiting_goods"
    APPROVED = "approved"
    SENT = "sent"
    ARRIVED = "arrived"
    FAILED = "failed"

    @property
    def label(self) -> str:
        """As the customer reads it."""
        return {
            "waiting_goods": "等待商品退回",
            "approved": "已审核，待退款",
            "sent": "已原路退出，等待银行或平台入账",
            "arrived": "已到账",
            "failed": "退款失败，处理中",
        }[self]
