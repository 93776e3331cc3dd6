"""The action server: rasa-sdk's executor behind our own door, which asks for the internal secret. Loopback or a private network only.

``python -m actions.server``. rasa-sdk's own server listens on every address and asks nobody; hence this one.
"""

import hmac
import importlib
import inspect
import logging
import pkgutil
from typing import Any

from rasa_sdk import Action
from rasa_sdk.executor import ActionExecutor
from rasa_sdk.interfaces import ActionExecutionRejection, ActionNotFoundException
from sanic import Request, Sanic, response
from sanic.response import HTTPResponse
from sqlalchemy.exc import SQLAlchemyError

import actions
import migrations.models  # noqa: F401 – every table is known before the first query
from actions.form import all_actions
from core import db, settings
from core import log as logs
from knowledge_base import usecases as knowledge

log = logging.getLogger(__name__)


def executor() -> ActionExecutor:
    """An executor that knows every action of the feature files."""
    made = ActionExecutor()
    for module in pkgutil.iter_modules(actions.__path__):
        if module.name == "server":
            continue
        loaded = importlib.import_module(f"actions.{module.name}")
        for _, found in inspect.getmembers(loaded, inspect.isclass):
            ours = found.__module__ == loaded.__name__ and issubclass(found, Action) and hasattr(found, "intent")
            if ours and not inspect.isabstract(found):
                made.register_action(found())
    for action in all_actions():
        made.register_action(action)
    return made


def create_app(secret: str) -> "Sanic[Any, Any]":
    """The server's application."""
    app = Sanic("zhike_actions", configure_logging=False)
    hands = executor()
    app.ctx.actions = sorted(hands.actions)

    @app.get("/health")
    async def health(_request: Request) -> HTTPResponse:
        return response.json({"status": "ok", "actions": len(hands.actions)})

    @app.post("/webhook")
    async def webhook(request: Request) -> HTTPResponse:
        if not hmac.compare_digest(request.headers.get("X-Zhike-Secret", "").encode(), secret.encode()):
            return response.json({"error": "secret"}, status=403)
        call: dict[str, Any] = {"domain": {}, **request.json}  # no action of ours asks for it, so it is not sent
        try:
            result = await hands.run(call)
        except ActionExecutionRejection as error:
            return response.json({"error": str(error), "action_name": error.action_name}, status=400)
        except ActionNotFoundException as error:
            log.error("unknown action %s", error.action_name)
            return response.json({"error": str(error), "action_name": error.action_name}, status=404)
        return response.json(result.model_dump() if hasattr(result, "model_dump") else result)

    return app


def warm() -> None:
    """Makes now what the first customer with a question, and all who come meanwhile, would wait seconds for: the words and the
    index of the articles."""
    try:
        with db.reading() as session:
            knowledge.search(session, "您好")
    except SQLAlchemyError:  # a database that is away is found again at the first call
        log.warning("the articles could not be read yet")


def main() -> None:
    """Listens on loopback until ended."""
    chosen = settings.load()
    logs.set_up("actions")
    warm()
    create_app(chosen.internal_secret).run(
        host=chosen.actions_host, port=chosen.actions_port, single_process=True, access_log=False, motd=False
    )


if __name__ == "__main__":
    main()
