"""A neutral bot for bench_brain.py, the same for every pipeline: our 46 intents with 50 phrases each, most of them answered
by a fixed line, eight by an action that looks something up in SQLite, one by a form of two questions.

``python -m scripts.bench_bot PORT`` is its action server.
"""

import random
import re
import sqlite3
import sys
from pathlib import Path
from typing import Any

import yaml

from scripts.nlu_near_copies import TRAINING

PHRASES, SEED = 50, 20261122
FORM = "cancel_order"
LOOKED_UP = (
    "query_order",
    "track_logistics",
    "query_refund",
    "query_points",
    "query_coupon",
    "query_stock",
    "query_warranty",
    "query_service_progress",
)
EXAMPLE = re.compile(r"^\s*-\s+(.*\S)\s*$", re.MULTILINE)
ENTITY = re.compile(r"\[[^\]]+\](?:\(([a-z_]+)\)|\{[^}]*\"entity\":\s*\"([a-z_]+)\"[^}]*\})")
PLAIN = re.compile(r"\[([^\]]+)\](?:\([^)]*\)|\{[^}]*\})")


def phrases() -> dict[str, list[str]]:
    """Phrases of each intent, with their entities marked: PHRASES to train on, and as many more to talk with."""
    found: dict[str, list[str]] = {}
    for path in sorted(TRAINING.glob("*.yml")):
        for block in yaml.safe_load(path.read_text(encoding="utf-8"))["nlu"]:
            found.setdefault(block["intent"], []).extend(EXAMPLE.findall(block["examples"]))
    chance = random.Random(SEED)
    return {intent: chance.sample(texts, 2 * PHRASES) for intent, texts in sorted(found.items())}


def spoken(intents: list[str]) -> list[str]:
    """What the talks say: phrases of these intents, plain, in a fixed order, every one once."""
    known = phrases()
    texts = [PLAIN.sub(r"\1", text) for intent in intents for text in known[intent]]
    random.Random(SEED).shuffle(texts)
    return texts


def answered() -> list[str]:
    """The intents that a fixed line answers."""
    return [intent for intent in phrases() if intent not in {FORM, *LOOKED_UP}]


def write(folder: Path) -> None:
    """The bot's domain and data."""
    known = phrases()
    entities = sorted({a or b for texts in known.values() for text in texts for a, b in ENTITY.findall(text)})
    nlu = [
        {"intent": intent, "examples": "".join(f"- {text}\n" for text in texts[:PHRASES])}
        for intent, texts in known.items()
    ]
    _dump(folder / "data" / "nlu.yml", {"nlu": nlu})
    _dump(folder / "data" / "rules.yml", {"rules": _rules(), "stories": _stories()})
    _dump(folder / "domain.yml", _domain(list(known), entities))


def _reply(intent: str) -> str:
    return f"action_{intent}" if intent in LOOKED_UP else f"utter_{intent}"


def _rules() -> list[dict[str, Any]]:
    plain = [
        {"rule": intent, "steps": [{"intent": intent}, {"action": _reply(intent)}]}
        for intent in [*LOOKED_UP, *answered()]
    ]
    begins = [{"intent": FORM}, {"action": "cancel_form"}, {"active_loop": "cancel_form"}]
    complete = [
        {"action": "cancel_form"},
        {"active_loop": None},
        {"slot_was_set": [{"requested_slot": None}]},
        {"action": "action_cancelled"},
    ]
    return [
        *plain,
        {"rule": "fallback", "steps": [{"intent": "nlu_fallback"}, {"action": "utter_fallback"}]},
        {"rule": "form begins", "steps": begins},
        {"rule": "form is complete", "condition": [{"active_loop": "cancel_form"}], "steps": complete},
    ]


def _stories() -> list[dict[str, Any]]:
    chance, intents = random.Random(SEED), [*LOOKED_UP, *answered()]
    return [
        {
            "story": f"talk {n}",
            "steps": [s for i in chance.sample(intents, 3) for s in ({"intent": i}, {"action": _reply(i)})],
        }
        for n in range(12)
    ]


def _domain(intents: list[str], entities: list[str]) -> dict[str, Any]:
    asked = {"active_loop": "cancel_form", "requested_slot": "reason"}
    lines = {f"utter_{intent}": f"这是关于{intent}的回答。" for intent in answered()}
    lines |= {
        "utter_fallback": "没听懂，换个说法？",
        "utter_ask_order_number": "哪一单？",
        "utter_ask_reason": "为什么取消？",
    }
    return {
        "version": "3.1",
        "intents": intents,
        "entities": entities,
        "slots": {
            "order_number": {
                "type": "text",
                "influence_conversation": False,
                "mappings": [{"type": "from_entity", "entity": "order_number"}],
            },
            "reason": {
                "type": "text",
                "influence_conversation": False,
                "mappings": [{"type": "from_text", "conditions": [asked]}],
            },
        },
        "forms": {"cancel_form": {"required_slots": ["order_number", "reason"]}},
        "responses": {name: [{"text": text}] for name, text in lines.items()},
        "actions": [
            *(f"action_{intent}" for intent in LOOKED_UP),
            "action_cancelled",
            {"validate_cancel_form": {"send_domain": True}},
        ],
        "session_config": {"session_expiration_time": 60, "carry_over_slots_to_new_session": True},
    }


def _dump(path: Path, told: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump({"version": "3.1", **told}, allow_unicode=True, sort_keys=False), encoding="utf-8")


def serve(port: int) -> None:
    """The action server: each action reads a row of a small table."""
    from rasa_sdk import Action
    from rasa_sdk.executor import ActionExecutor
    from rasa_sdk.forms import FormValidationAction
    from sanic import Request, Sanic, response
    from sanic.response import HTTPResponse

    table = sqlite3.connect(":memory:", check_same_thread=False)
    table.execute("create table things (number integer primary key, told text)")
    table.executemany("insert into things values (?, ?)", [(n, f"第{n}条记录") for n in range(10_000)])
    chance = random.Random(SEED)

    def looked_up(name: str) -> Action:
        class LookUp(Action):
            def name(self) -> str:
                return name

            def run(self, dispatcher: Any, tracker: Any, domain: Any) -> list[dict[str, Any]]:
                row = table.execute("select told from things where number = ?", (chance.randrange(10_000),)).fetchone()
                dispatcher.utter_message(text=f"{row[0]}：{tracker.latest_message.get('text')}")
                return []

        return LookUp()

    class Validate(FormValidationAction):
        def name(self) -> str:
            return "validate_cancel_form"

    hands = ActionExecutor()
    for action in [*(looked_up(f"action_{name}") for name in LOOKED_UP), looked_up("action_cancelled"), Validate()]:
        hands.register_action(action)
    app: Sanic[Any, Any] = Sanic("bench_hands", configure_logging=False)

    @app.post("/webhook")
    async def webhook(request: Request) -> HTTPResponse:
        result = await hands.run({"domain": {}, **request.json})
        return response.json(result.model_dump() if hasattr(result, "model_dump") else result)

    app.run(host="127.0.0.1", port=port, single_process=True, access_log=False, motd=False)


if __name__ == "__main__":
    serve(int(sys.argv[1]))
