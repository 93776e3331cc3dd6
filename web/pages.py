"""Pages and what operations ask for."""

from typing import Any

from apiflask import APIBlueprint, APIFlask
from flask import Response, redirect, render_template, request, send_file, send_from_directory
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from channels import web as channel
from core import clock, db, settings
from core.errors import NotFound
from core.settings import ROOT
from core.text import clean
from helpdesk.conversations import brain
from helpdesk.routing import hours as service_hours
from knowledge_base import usecases as knowledge
from knowledge_base.models import Article
from web import metrics
from web.access import public

bp = APIBlueprint("pages", __name__, enable_openapi=False)
DESK = ROOT / "web" / "static" / "desk"


@bp.get("/")
@public
def chat() -> str:
    """The customer's page; ``?embedded=1`` is what the widget shows."""
    chosen = settings.load()
    with db.reading() as session:
        today = service_hours.today(session, clock.now())
    return render_template(
        "chat.html",
        hours="全天" if today == "00:00–24:00" else today,
        shop_name=chosen.shop_name,
        bot_name=chosen.bot_name,
        demo=chosen.demo,
        embedded=request.args.get("embedded") == "1",
    )


@bp.get("/widget.js")
@public
def widget() -> Response:
    """The one line other sites embed."""
    return send_from_directory(ROOT / "web" / "static", "widget.js", mimetype="text/javascript")


@bp.get("/favicon.ico")
@public
def favicon() -> AnyResponse:
    """The mark."""
    return redirect("/static/favicon.svg")


@bp.get("/desk")
@bp.get("/desk/")
@public
def desk() -> Response:
    """The agents' desk; its data come over the API, with a token."""
    if not (DESK / "index.html").exists():
        raise NotFound("坐席工作台还没有构建，请先运行 make setup。")
    return send_from_directory(DESK, "index.html", max_age=0)


@bp.get("/admin")
@bp.get("/admin/")
@public
def administration() -> Response:
    """What editors and admins work with; its data come over the API, with a token."""
    if not (DESK / "admin.html").exists():
        raise NotFound("管理页面还没有构建，请先运行 make setup。")
    return send_from_directory(DESK, "admin.html", max_age=0)


@bp.get("/supervisor")
@bp.get("/supervisor/")
@public
def supervision() -> Response:
    """What supervisors watch and steer the floor with, and the wall board; its data come over the API, with a token."""
    if not (DESK / "supervisor.html").exists():
        raise NotFound("班长台还没有构建，请先运行 make setup。")
    return send_from_directory(DESK, "supervisor.html", max_age=0)


@bp.get("/help")
@public
def help_centre() -> str:
    """Search, or the articles by category."""
    query = clean(request.args.get("q", ""))[:200]
    with db.reading() as session:
        result = knowledge.search(session, query, 8) if query else None
        hits = (
            [{"id": h.id, "question": h.question} for h in result.hits] if result and result.decision != "none" else []
        )
        articles = session.scalars(
            select(Article).where(Article.status == "published").order_by(Article.category, Article.question)
        ).all()
    by_category: dict[str, list[Article]] = {}
    for article in articles:
        by_category.setdefault(article.category or "其他", []).append(article)
    return render_template(
        "help.html", query=query, hits=hits, by_category=by_category, shop_name=settings.load().shop_name
    )


@bp.get("/help/<string(maxlength=120):key>")
@public
def article(key: str) -> str:
    """One article."""
    with db.reading() as session:
        found = session.scalar(select(Article).where(Article.key == key, Article.status == "published"))
        if found is None:
            raise NotFound("这篇内容已经不在了，回帮助中心搜一搜吧。")
        return render_template(
            "article.html", article=found, html=knowledge.render(found.answer), shop_name=settings.load().shop_name
        )


@bp.get("/files/<string(maxlength=40):conversation_id>/<string(maxlength=60):name>")
@public
def picture(conversation_id: str, name: str) -> Response:
    """A picture of a talk; the address carries our signature and is known only to who may see the talk."""
    path = channel.picture_path(conversation_id, name, request.args.get("s", ""))
    response = send_file(path, max_age=86400)
    response.headers["Cache-Control"] = "private, max-age=86400"
    return response


@bp.get("/healthz")
@public
def healthz() -> dict[str, str]:
    """Alive."""
    return {"status": "ok"}


@bp.get("/readyz")
@public
def readyz() -> tuple[dict[str, Any], int]:
    """May get traffic; 503 with what is missing."""
    missing = [
        name for name, ok in (("database", _database()), ("brain", brain.is_ready()), ("actions", _actions())) if not ok
    ]
    return {"status": "ready" if not missing else "not ready", "missing": missing}, 503 if missing else 200


def _database() -> bool:
    try:
        with db.reading() as session:
            session.execute(select(1))
    except Exception:
        return False
    return True


def _actions() -> bool:
    import httpx

    try:
        return httpx.get(f"{settings.load().actions}/health", timeout=2, trust_env=False).is_success
    except httpx.HTTPError:
        return False


@bp.get("/metrics")
@public
def numbers() -> Response:
    """Prometheus."""
    metrics.refresh()
    return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)


def embeddable(app: APIFlask) -> None:
    """Lets the sites of the setting embed the chat; nobody else may frame anything of ours."""

    @app.after_request
    def frame(response: Response) -> Response:
        if request.endpoint == "pages.chat" and request.args.get("embedded") == "1":
            csp = response.headers.get("Content-Security-Policy", "")
            allowed = f"frame-ancestors {settings.load().embed_origins}"
            response.headers["Content-Security-Policy"] = csp.replace("frame-ancestors 'self'", allowed)
        return response
