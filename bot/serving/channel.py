"""The brain's only door: one turn in, all its answers out, and the same answers again when the turn comes twice.

``POST /webhooks/zhike/turn`` with the internal secret, ``{"conversation_id", "turn_id", "text"}`` →
``{"answers": [{"text", "buttons", "custom"}], "intent", "confidence", "decision", "entities",
"mood", "also", "slots", "tried", "hands_seconds"}``.
503 when an action did not run or the turn could not be stored: nothing of the turn is kept, so that it can be asked again as if it never came.

``POST /webhooks/zhike/reload`` loads the model file anew, beside the turns under way, and then takes it.
"""

import asyncio
import functools
import hmac
import logging
import time
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any, AsyncIterator, Awaitable, Callable, Dict, List, Optional, Text, Tuple

import rasa.core.actions.action
from rasa.core.channels.channel import InputChannel, OutputChannel, UserMessage
from rasa.shared.core.events import ActionExecuted, BotUttered, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.exceptions import RasaException
from sanic import Blueprint, response
from sanic.request import Request
from sanic.response import HTTPResponse

from bot.serving import fast
from bot.serving.talks import NotKept

log = logging.getLogger(__name__)
TURN_ID = "turn_id"
INNER_SLOTS = {"requested_slot", "pending", "session_started_metadata", "confirm"}


TOPIC_REACH = 6  # customers' turns back in which a topic is still meant
NO_TOPIC = {
    "nlu_fallback",
    "greet",
    "goodbye",
    "thank",
    "affirm",
    "deny",
    "cancel_flow",
    "bot_challenge",
    "chitchat",
    "out_of_scope",
    "inform",
    "faq",
    "praise",
    "give_rating",
    "suggestion",
    "request_human",
}


class HandsAway(BaseException):
    """An action did not run. No ``Exception``, because Rasa catches those, goes on without the action's events and keeps
    a turn in which the customer is told nothing."""


_run_remote = rasa.core.actions.action.RemoteAction.run


_hands_seconds: "ContextVar[List[float]]" = ContextVar("hands_seconds")  # of each call of an action in this turn


async def _run_or_stop(self: Any, *args: Any, **kwargs: Any) -> Any:
    begun = time.perf_counter()
    try:
        return await _run_remote(self, *args, **kwargs)
    except rasa.core.actions.action.ActionExecutionRejection:
        raise
    except (RasaException, OSError, asyncio.TimeoutError, ValueError) as error:
        raise HandsAway(f"{self.name()}: {error}") from error
    finally:
        _hands_seconds.get([]).append(time.perf_counter() - begun)


rasa.core.actions.action.RemoteAction.run = _run_or_stop
fast.install()


class _Silent(OutputChannel):
    """Collects nothing: the answers are read from the tracker, where a repeated turn finds them too."""

    @classmethod
    def name(cls) -> Text:
        """The channel's name."""
        return "zhike"

    async def send_response(self, recipient_id: Text, message: Dict[Text, Any]) -> None:
        """Nothing to send; the tracker keeps it."""


class ZhikeInput(InputChannel):
    """See the module."""

    def __init__(self, secret: Text) -> None:
        self._secret = secret
        self._turns: Dict[Text, Tuple[asyncio.Lock, int]] = {}  # by talk: its lock, and how many have or want it
        self._loading = asyncio.Lock()
        self._settled = False

    @classmethod
    def name(cls) -> Text:
        """The part of the address."""
        return "zhike"

    @classmethod
    def from_credentials(cls, credentials: Optional[Dict[Text, Any]]) -> "ZhikeInput":
        """From credentials.yml. Without a secret the brain does not start."""
        secret = (credentials or {}).get("secret")
        if not secret or str(secret).startswith("${"):
            raise ValueError("ZHIKE_INTERNAL_SECRET is not set: the brain does not listen without it")
        return cls(str(secret))

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Blueprint:
        """The address."""
        blueprint = Blueprint("zhike_webhook")

        @blueprint.route("/turn", methods=["POST"])
        async def turn(request: Request) -> HTTPResponse:
            if not self._is_ours(request):
                return response.json({"error": "secret"}, status=403)
            body = request.json or {}
            sender, turn_id, text = body.get("conversation_id"), body.get(TURN_ID), body.get("text")
            if not (isinstance(sender, str) and isinstance(turn_id, str) and isinstance(text, str)):
                return response.json({"error": "conversation_id, turn_id and text are needed"}, status=400)
            try:
                async with self._alone(sender):
                    return response.json(await self._answer(request, sender, turn_id, text))
            except HandsAway as error:
                log.warning("an action did not run: %s", error)
                return response.json({"error": "actions"}, status=503)
            except NotKept as error:
                log.warning("a turn could not be stored: %s", error)
                return response.json({"error": "memory"}, status=503)

        @blueprint.route("/reload", methods=["POST"])
        async def reload(request: Request) -> HTTPResponse:
            if not self._is_ours(request):
                return response.json({"error": "secret"}, status=403)
            agent = request.app.ctx.agent
            if agent is None or not agent.is_ready():
                return response.json({"error": "starting"}, status=503)
            try:
                async with self._loading:
                    load = functools.partial(agent.load_model, agent.processor.model_path)
                    await asyncio.get_event_loop().run_in_executor(None, load)
            except (
                Exception
            ):  # whatever is wrong with a file, told to the caller as 500; turns go on with the old model
                log.exception("the model could not be loaded; the former one stays")
                return response.json({"error": "model"}, status=500)
            fast.settle()
            return response.json({"model": agent.model_id})

        @blueprint.route("/ready", methods=["GET"])
        async def ready(request: Request) -> HTTPResponse:
            agent = request.app.ctx.agent
            is_ready = agent is not None and agent.is_ready()
            if is_ready and not self._settled:
                self._settled = True
                fast.settle()
            return response.json({"ready": is_ready}, status=200 if is_ready else 503)

        return blueprint

    def _is_ours(self, request: Request) -> bool:
        given = request.headers.get("X-Zhike-Secret", "")
        return hmac.compare_digest(given.encode(), self._secret.encode())

    @asynccontextmanager
    async def _alone(self, sender: Text) -> AsyncIterator[None]:
        """One turn of a talk at a time; the lock lives as long as anybody has or wants it."""
        lock, users = self._turns.get(sender, (asyncio.Lock(), 0))
        self._turns[sender] = (lock, users + 1)
        try:
            async with lock:
                yield
        finally:
            users = self._turns[sender][1] - 1
            if users:
                self._turns[sender] = (lock, users)
            else:
                del self._turns[sender]

    async def _answer(self, request: Request, sender: Text, turn_id: Text, text: Text) -> Dict[Text, Any]:
        agent = request.app.ctx.agent
        hands: List[float] = []
        _hands_seconds.set(hands)
        tracker = await agent.tracker_store.retrieve(sender)
        kept = _of_turn(tracker, turn_id) if tracker else None
        if kept is None:
            metadata = {TURN_ID: turn_id, "context": _context(tracker)}
            message = UserMessage(text, _Silent(), sender, input_channel="zhike", metadata=metadata)
            await agent.processor.handle_message(message)
            tracker = await agent.tracker_store.retrieve(sender)
            kept = _of_turn(tracker, turn_id)
        if tracker is None or kept is None:
            raise RuntimeError("the turn was not kept by the tracker store")
        return {**kept, "slots": _known(tracker), "hands_seconds": sum(hands)}


def _of_turn(tracker: DialogueStateTracker, turn_id: Text) -> Optional[Dict[Text, Any]]:
    """What the tracker kept of a turn: its answers and how the message was read; None when it knows no such turn."""
    found: Optional[UserUttered] = None
    answers: List[Dict[Text, Any]] = []
    tried: List[Text] = []
    for event in tracker.events:
        if isinstance(event, UserUttered):
            if found is not None:
                break
            if (event.metadata or {}).get(TURN_ID) == turn_id:
                found = event
        elif found is not None and isinstance(event, BotUttered):
            data = event.data or {}
            answers.append({"text": event.text, "buttons": data.get("buttons"), "custom": data.get("custom")})
        elif (
            found is not None and isinstance(event, ActionExecuted) and (event.action_name or "").startswith("action_")
        ):
            tried.append(str(event.action_name))
    if found is None:
        return None
    parsed = found.parse_data or {}
    best = _best(parsed)
    return {
        "answers": answers,
        "intent": best.get("name"),
        "confidence": best.get("confidence"),
        "decision": parsed.get("decision"),
        "entities": [
            {key: entity.get(key) for key in ("entity", "start", "end")} for entity in parsed.get("entities") or []
        ],
        "mood": parsed.get("mood") or {},
        "also": parsed.get("also") or [],
        "tried": [
            name for name in tried if name not in {"action_listen", "action_extract_slots", "action_session_start"}
        ],
    }


def _context(tracker: Optional[DialogueStateTracker]) -> Dict[Text, Optional[Text]]:
    """What the talk makes likely (bot/nlu/context.py): the open form, the slot in question, the last topic."""
    if tracker is None:
        return {}
    form = tracker.active_loop_name
    said = [e.intent_name for e in tracker.events if isinstance(e, UserUttered)][-TOPIC_REACH:]
    topics = [name for name in said if name and name not in NO_TOPIC]
    return {
        "topic": topics[-1] if topics else None,
        "form": form.replace("_form", "") if form and form != "verify_form" else None,
        "asked": tracker.get_slot("requested_slot") if form else None,
    }


def _best(parsed: Dict[Text, Any]) -> Dict[Text, Any]:
    """The best reading with its confidence, also where the decision was to ask back."""
    ranking = parsed.get("intent_ranking") or [parsed.get("intent") or {}]
    return next((r for r in ranking if r.get("name") and r["name"] != "nlu_fallback"), {})


def _known(tracker: DialogueStateTracker) -> Dict[Text, Any]:
    values = tracker.current_slot_values()
    return {k: v for k, v in values.items() if v is not None and k not in INNER_SLOTS}
