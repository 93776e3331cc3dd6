"""Replaces what a call of the action server costs: Rasa checks its own JSON schema anew before each answer is checked by it
(20 ms), opens a connection a call, and sends all events with all readings along."""

import functools
import json
from typing import Any, Dict, List, Text

import aiohttp
import jsonschema
from rasa.core.actions.action import RemoteAction
from rasa.shared.core.events import BotUttered, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker, EventVerbosity
from rasa.utils.endpoints import ClientResponseError, EndpointConfig

_format_call = RemoteAction._action_call_format
_request = EndpointConfig.request


@functools.lru_cache(maxsize=1)
def _validator() -> Any:
    schema = RemoteAction.action_response_format_spec()
    kind = jsonschema.validators.validator_for(schema)
    kind.check_schema(schema)
    return kind(schema)


def validate(_action: RemoteAction, result: Any) -> bool:
    """True for an answer of the right form; raises ValidationError for any other, as Rasa's own does."""
    if not _is_plain(result):
        _validator().validate(result)
    return True


def _is_plain(result: Any) -> bool:
    """Whether an answer is so simple that the schema must allow it: slots set, one of two loops, a next action."""
    if not isinstance(result, dict):
        return False
    events, responses = result.get("events", []), result.get("responses", [])
    return (
        isinstance(events, list)
        and isinstance(responses, list)
        and all(isinstance(response, dict) for response in responses)
        and all(isinstance(event, dict) and _is_plain_event(event) for event in events)
    )


def _is_plain_event(event: Dict[Text, Any]) -> bool:
    stamp = event.get("timestamp")
    if not isinstance(event.get("name"), str) or not (stamp is None or isinstance(stamp, float)):
        return False
    keys = {"slot": {"event", "timestamp", "name", "value"}, "followup": {"event", "timestamp", "name"}}
    return set(event) == keys.get(str(event.get("event")), ())


def format_call(action: RemoteAction, tracker: DialogueStateTracker, domain: Any) -> Dict[Text, Any]:
    """The call's body: slots and the newest message whole, of what was said before only texts and intents."""
    call = _format_call(action, _Lean(tracker), domain)
    call["tracker"]["events"] = [told for event in tracker.events for told in _told(event)]
    return call


class _Lean:
    """A tracker that tells its state without its events, and of the open loop only its name and whether it was left."""

    def __init__(self, tracker: DialogueStateTracker) -> None:
        self._tracker = tracker
        self.sender_id = tracker.sender_id

    def current_state(self, _verbosity: EventVerbosity) -> Dict[Text, Any]:
        """As DialogueStateTracker.current_state, which copies the message that opened the loop deeply."""
        tracker, loop = self._tracker, self._tracker.active_loop
        tracker.active_loop = None
        try:
            told = tracker.current_state(EventVerbosity.NONE)
        finally:
            tracker.active_loop = loop
        if loop is not None:
            told["active_loop"] = {k: getattr(loop, k) for k in ("name", "is_interrupted", "rejected")}
        return told


def _told(event: Any) -> List[Dict[Text, Any]]:
    if isinstance(event, UserUttered):
        return [{"event": "user", "text": event.text, "parse_data": {"intent": {"name": event.intent_name}}}]
    return [{"event": "bot", "text": event.text}] if isinstance(event, BotUttered) else []


async def request(endpoint: EndpointConfig, method: Text = "post", subpath: Any = None, **kwargs: Any) -> Any:
    """As EndpointConfig.request, on a connection that is kept. Raises ClientResponseError, aiohttp's errors."""
    if subpath is not None or endpoint.cafile or endpoint.basic_auth or set(kwargs) - {"json", "timeout", "compress"}:
        return await _request(endpoint, method, subpath, **kwargs)
    kept = endpoint.__dict__.get("_kept")
    if kept is None:
        kept = endpoint._kept = endpoint.session()  # type: ignore[attr-defined]
    body = json.dumps(kwargs.get("json")).encode()
    headers = {"Content-Type": "application/json", **endpoint.headers}
    params = endpoint.combine_parameters()
    timeout = aiohttp.ClientTimeout(total=kwargs.get("timeout"))
    async with kept.request(
        method,
        endpoint.url,
        data=body,
        headers=headers,
        params=params,
        timeout=timeout,
        compress=kwargs.get("compress"),
    ) as response:
        if response.status >= 400:
            raise ClientResponseError(response.status, response.reason, await response.content.read())
        return await response.json()


def install() -> None:
    """A schema checked once, a kept connection, and only what actions read."""
    RemoteAction._validate_action_result = validate  # type: ignore[method-assign]
    RemoteAction._action_call_format = format_call  # type: ignore[method-assign]
    EndpointConfig.request = request  # type: ignore[method-assign]
