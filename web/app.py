"""Makes the Flask application."""

from pathlib import Path

from apiflask import APIFlask
from flask_talisman import Talisman
from werkzeug.middleware.proxy_fix import ProxyFix

import migrations.models  # noqa: F401 – every table is known before the first query
from core import settings
from web import access, body, limits, metrics, pages, problems, realtime, wechat
from web.api import admin, agent, channel, customer, demo, desk_actions, supervisor

CSP = {
    "default-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "connect-src": "'self' ws: wss:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'self'",
}


def create_app() -> APIFlask:
    """The application with all its routes; no thread is started here (see wsgi.py)."""
    chosen = settings.load()
    here = Path(__file__).parent
    app = APIFlask(
        "web",
        title="知客 Zhike",
        version="1",
        spec_path="/api/openapi.json",
        docs_path=None,
        template_folder=str(here / "templates"),
        static_folder=str(here / "static"),
        static_url_path="/static",
    )
    app.config.update(
        MAX_CONTENT_LENGTH=body.BODY_MOST_BYTES,
        JSON_SORT_KEYS=False,
        VALIDATION_ERROR_STATUS_CODE=422,
        SEND_FILE_MAX_AGE_DEFAULT=3600,
        RATELIMIT_STORAGE_URI=chosen.redis_url or "memory://",
        SPEC_FORMAT="json",
        OPENAPI_VERSION="3.1.0",
    )
    app.url_map.merge_slashes = False  # no redirects made of whatever was asked for
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.security_schemes = {"bearer": {"type": "http", "scheme": "bearer"}}
    if chosen.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=chosen.trusted_proxies, x_proto=1)  # type: ignore[method-assign]
    app.extensions["talisman"] = Talisman(
        app,
        force_https=False,  # TLS ends at the proxy
        strict_transport_security=False,
        frame_options=None,
        content_security_policy=CSP,
        referrer_policy="same-origin",
        session_cookie_secure=False,
    )
    problems.handle(app)
    app.spec_processor(problems.describe)
    metrics.watch(app)
    access.guard(app)
    body.check(app)
    limits.limiter.init_app(app)
    for blueprint in (customer.bp, agent.bp, desk_actions.bp, channel.bp, supervisor.bp, admin.bp, demo.bp):
        app.register_blueprint(blueprint)
    app.register_blueprint(wechat.bp)
    app.register_blueprint(pages.bp)
    pages.embeddable(app)
    realtime.socketio.init_app(
        app, message_queue=chosen.redis_url or None, channel="zhike-socketio", transports=["websocket"]
    )
    return app
