"""Plays recorded talks to the brain's dialogue, in its own environment: ``python -m tests.serving.replay OUT [EVERY]``.

The readings and the actions' answers come from the tape, so that what is compared is the dialogue alone, and a new model needs no new
tape. OUT gets a line a talk: ``{"events": […], "answers": […]}``. ``ZHIKE_BRAIN_SLOW`` says which fast paths are off.
"""

import asyncio
import copy
import json
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from aiohttp import web
from rasa.core.agent import Agent
from rasa.core.tracker_store import SQLTrackerStore
from rasa.shared.core.domain import Domain
from rasa.utils.endpoints import EndpointConfig

from bot.serving import switches
from bot.serving.channel import ZhikeInput
from bot.serving.talks import Talks
from tests.serving.lines import talks

MODEL = "models/zhike.tar.gz"
ALWAYS_NEW = {"timestamp", "message_id", "model_id", "assistant_id"}


class Hands:
    """The action server of the tape: each talk's next answer, and a note where another action is asked for."""

    def __init__(self) -> None:
        self.coming: dict[str, list[dict[str, Any]]] = {}

    async def answer(self, request: web.Request) -> web.Response:
        """An action's."""
        call = await request.json()
        coming = self.coming[call["sender_id"]]
        if not coming or coming[0]["action"] != call["next_action"]:
            said = f"not on the tape: {call['next_action']}"
            return web.json_response({"events": [], "responses": [{"text": said}]})
        told = coming.pop(0)
        return web.json_response(told["answer"], status=told["status"])

    async def listen(self) -> int:
        """Begins; the port."""
        app = web.Application(client_max_size=2**24)
        app.router.add_post("/webhook", self.answer)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return int(site._server.sockets[0].getsockname()[1])


def plain(value: Any) -> Any:
    """An event without what is new each time."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items() if key not in ALWAYS_NEW}
    return [plain(item) for item in value] if isinstance(value, list) else value


async def main(out: str, every: int) -> None:
    """All of it."""
    hands = Hands()
    endpoint = EndpointConfig(f"http://127.0.0.1:{await hands.listen()}/webhook", enable_selective_domain=True)
    with tempfile.TemporaryDirectory() as folder, Path(out).open("w", encoding="utf-8") as lines:
        database = str(Path(folder) / "brain.db")
        slow = "talks" in switches.off()
        store = SQLTrackerStore(Domain.empty(), db=database) if slow else Talks(Domain.empty(), f"sqlite:///{database}")
        agent = Agent.load(MODEL, action_endpoint=endpoint, tracker_store=store)
        read: list[dict[str, Any]] = []

        async def parsed(*_: Any, **__: Any) -> dict[str, Any]:
            return copy.deepcopy(read[0])

        agent.processor.parse_message = parsed
        door = ZhikeInput("replay")
        request = SimpleNamespace(app=SimpleNamespace(ctx=SimpleNamespace(agent=agent)))
        for number, talk in enumerate(talks()[::every]):
            answers = []
            for turn, said in enumerate(talk):
                hands.coming[str(number)] = copy.deepcopy(said["calls"])
                read[:] = [said["parse"]]
                told = await door._answer(request, str(number), f"{number}-{turn}", said["text"])
                answers.append(plain(told["answers"]))
            tracker = await store.retrieve_full_tracker(str(number))
            events = [plain(event.as_dict()) for event in tracker.events]
            lines.write(json.dumps({"events": events, "answers": answers}, sort_keys=True) + "\n")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1))
