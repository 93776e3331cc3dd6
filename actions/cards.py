"""Cards: how records look in the talk. Each function gives the plain text and the card.

``lead`` is the sentence that stands above the card; the plain text begins with it.
"""

from collections.abc import Sequence
from typing import Any

from core.clock import iso, told
from core.text import yuan
from crm.catalogue.models import Product
from crm.orders.models import Order, Parcel
from crm.orders.rules import OrderStatus, ParcelStatus
from knowledge_base import usecases as knowledge

Card = tuple[str, dict[str, Any]]


def picture(kind: str) -> str:
    """Where a class of products has its drawing."""
    return f"/static/products/{kind}.svg"


def order_dict(order: Order, actions: Sequence[dict[str, str]] = ()) -> dict[str, Any]:
    """ORDER of the HTTP contract."""
    return {
        "number": order.number,
        "status": order.status,
        "status_label": OrderStatus(order.status).label,
        "created_at": iso(order.created_at),
        "total_cents": order.total_cents,
        "items": [
            {
                "name": item.product.name,
                "color": item.color,
                "quantity": item.quantity,
                "price_cents": item.price_cents,
                "image": picture(item.product.kind),
            }
            for item in order.items
        ],
        "actions": list(actions),
    }


def order_line(order: Order) -> str:
    """An order in one line of plain text."""
    goods = "、".join(f"{i.product.name}×{i.quantity}" for i in order.items)
    label = OrderStatus(order.status).label
    return f"{told(order.created_at, with_time=False)} {goods}，{yuan(order.total_cents)}，{label}（尾号{order.number[-4:]}）"


def order_card(order: Order, text: str, actions: Sequence[dict[str, str]] = ()) -> Card:
    """One order."""
    return f"{text}\n{order_line(order)}", {"card": "order", "lead": text, "order": order_dict(order, actions)}


def orders_card(orders: Sequence[Order], text: str, title: str, payload: str) -> Card:
    """Several orders to choose from; ``payload`` holds ``{number}``. Titles are told apart by the last four digits."""
    shown = [
        order_dict(
            o, [{"title": title, "value": f"{title} 尾号{o.number[-4:]}", "payload": payload.format(number=o.number)}]
        )
        for o in orders
    ]
    plain = "\n".join(f"{n}. {order_line(o)}" for n, o in enumerate(orders, 1))
    return f"{text}\n{plain}", {"card": "orders", "lead": text, "orders": shown}


def parcel_card(order: Order, parcel: Parcel, text: str) -> Card:
    """A parcel with its trace, newest first."""
    trace = [{"at": iso(e.at), "text": e.text} for e in sorted(parcel.events, key=lambda e: e.at, reverse=True)]
    newest = f"\n最新：{told(max(e.at for e in parcel.events))} {trace[0]['text']}" if trace else ""
    return (
        f"{text}\n{parcel.carrier} {parcel.tracking_number}{newest}",
        {
            "card": "parcel",
            "lead": text,
            "carrier": parcel.carrier,
            "tracking_number": parcel.tracking_number,
            "status_label": ParcelStatus(parcel.status).label,
            "order_number": order.number,
            "trace": trace,
        },
    )


def product_card(products: Sequence[Product], text: str, points: Sequence[Sequence[str]] = ()) -> Card:
    """Products side by side; ``points`` are short reasons for each."""
    shown = []
    for n, product in enumerate(products):
        stock = sum(s.quantity for s in product.stock)
        shown.append(
            {
                "name": product.name,
                "price_cents": product.price_cents,
                "image": picture(product.kind),
                "stock_label": "有货" if stock else "暂时缺货",
                "points": list(points[n])
                if n < len(points)
                else [f"{k} {v}" for k, v in list(product.specs.items())[:3]],
                "actions": [{"title": "了解参数", "value": f"{product.name}有什么功能参数"}],
            }
        )
    plain = "\n".join(f"· {p.name} {yuan(p.price_cents)}" for p in products)
    return f"{text}\n{plain}", {"card": "product", "lead": text, "products": shown}


def article_card(hit: Any) -> Card:
    """An article as a card, with its plain text."""
    html = knowledge.render(hit.answer)
    return knowledge.plain(hit.answer), {"card": "article", "id": hit.id, "question": hit.question, "html": html}
