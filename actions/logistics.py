"""Parcels: where they are."""

from collections.abc import Sequence

from actions.cards import order_card, parcel_card
from actions.lookup import OrderLookUp
from actions.orders import state_in_words, ways
from actions.talk import Talk, button
from core.clock import told
from crm.orders.models import Order, Parcel
from crm.orders.rules import OrderStatus, ParcelStatus


class TrackLogistics(OrderLookUp):
    """Where a parcel is and when it comes, with its trace."""

    intent = "track_logistics"

    def candidates(self, talk: Talk) -> Sequence[Order]:
        """Orders under way; without any, what was delivered or waits, newest first."""
        found = super().candidates(talk)
        moving = [o for o in found if o.status in {OrderStatus.SHIPPED, OrderStatus.PACKED, OrderStatus.PAID}]
        return [o for o in moving if o.status == OrderStatus.SHIPPED] or moving or found[:3]

    def about(self, talk: Talk, order: Order) -> None:
        """Each parcel with its trace; before shipping, when it will leave."""
        if not order.parcels:
            talk.voice.card(*order_card(order, f"还没有物流信息。{state_in_words(order)}", ways(order)))
            return
        for parcel in order.parcels:
            talk.voice.card(*parcel_card(order, parcel, self.in_words(parcel)))
        if any(p.status == ParcelStatus.DELIVERED for p in order.parcels):
            talk.voice.say(
                "如果显示签收但您没拿到，告诉我，我马上帮您核实。",
                [button("我没收到", f'/report_not_received{{"order_number": "{order.number}"}}')],
            )
        else:
            talk.voice.say(
                "需要我帮您催一下吗？", [button("催配送", f'/urge_shipping{{"order_number": "{order.number}"}}')]
            )

    def in_words(self, parcel: Parcel) -> str:
        """One sentence on where the parcel is."""
        when = told(parcel.expected_at, with_time=False) if parcel.expected_at else ""
        courier = f"，派送员{parcel.courier} {parcel.courier_phone}" if parcel.courier and parcel.courier_phone else ""
        match ParcelStatus(parcel.status):
            case ParcelStatus.OUT_FOR_DELIVERY:
                return f"正在派送，今天就能送到{courier}。"
            case ParcelStatus.DELIVERED:
                return f"包裹已签收（{parcel.signed_by or '本人'}）。"
            case ParcelStatus.STUCK:
                return "抱歉，包裹两天没有更新了，可能在中转站耽搁了。需要的话我帮您催一下。"
            case ParcelStatus.LOST:
                return "非常抱歉，快递核实包裹可能丢失了，可以为您补发或退款，请告诉我“没收到货”。"
            case ParcelStatus.REFUSED:
                return "包裹已拒收，正在退回仓库，收到后给您退款。"
            case _:
                return f"包裹在路上，预计 {when} 送到。" if when else "包裹在路上。"
