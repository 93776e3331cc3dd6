"""Demo mode only: the page's "sign in as" chooser."""

from typing import Any

from apiflask import APIBlueprint
from apiflask.fields import Integer

from core import clock, db, settings
from core.errors import NotFound
from crm.customers import access as customer_access
from crm.customers.models import Customer
from crm.demo import generate
from web.access import public
from web.api.customer import responses
from web.body import Lenient

bp = APIBlueprint("demo", __name__, url_prefix="/api/v1/demo", tag="demo")


class Who(Lenient):
    """A customer of the demo."""

    customer_id = Integer(required=True, strict=True)


@bp.before_request
def demo_only() -> None:
    """Elsewhere these addresses do not exist."""
    if not settings.load().demo:
        raise NotFound("没有这个页面。")


@bp.get("/customers")
@public
@bp.doc(summary="The demo's faces (demo mode only)", responses=responses(200, 404))
def faces() -> dict[str, Any]:
    """Whom one can be."""
    with db.reading() as session:
        return {"customers": generate.faces(session)}


@bp.post("/sign-in")
@public
@bp.input(Who)
@bp.doc(summary="Sign in as one of them (demo mode only)", responses=responses(200, 400, 404, 422))
def sign_in(json_data: dict[str, Any]) -> dict[str, Any]:
    """A customer_token as the shop's site would sign it."""
    with db.reading() as session:
        allowed = {face["id"] for face in generate.faces(session)}
        if json_data["customer_id"] not in allowed or session.get(Customer, json_data["customer_id"]) is None:
            raise NotFound("没有这位示例客户。")
    secret = settings.load().customer_token_secret
    return {"customer_token": customer_access.visitor_token(json_data["customer_id"], secret, clock.now())}
