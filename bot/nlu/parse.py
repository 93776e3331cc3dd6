"""Parses messages with a trained model: JSON strings on standard input, one result a line on standard output.

``python -m bot.nlu.parse models/zhike.tar.gz`` – used by ``zhike nlu``, no server needed. With ``--cost`` each result
says how long it took (``ms``) and a last line what the process needed: ``{"mebibytes", "load_seconds"}``.
"""

import asyncio
import json
import logging
import os
import resource
import sys
import time
from typing import Any, Dict

from rasa.core.agent import Agent

RANKING = 5


def result(text: str, parsed: Dict[str, Any]) -> Dict[str, Any]:
    """The fixed shape of a result. ``intent`` is always the best label, whatever the decision."""
    ranking = [r for r in parsed.get("intent_ranking") or [] if r["name"] != "nlu_fallback"]
    best = ranking[0] if ranking else {"name": "out_of_scope", "confidence": 0.0}
    return {
        "text": text,
        "intent": best["name"],
        "confidence": round(best["confidence"], 4),
        "also": parsed.get("also") or [],
        "ranking": [{"intent": r["name"], "confidence": round(r["confidence"], 4)} for r in ranking[:RANKING]],
        "entities": [
            {key: entity[key] for key in ("entity", "value", "start", "end")} for entity in parsed.get("entities") or []
        ],
        "decision": parsed.get("decision") or _stock_decision(parsed),
        "outside": round(parsed.get("outside", 1 - best["confidence"]), 4),
        "mood": parsed.get("mood") or {},
    }


def _stock_decision(parsed: Dict[str, Any]) -> str:
    """What a pipeline without our decision would do: act, unless its fallback came first."""
    first = (parsed.get("intent") or {}).get("name")
    return "answer" if first and first != "nlu_fallback" else "fallback"


async def main() -> None:
    """Reads all, answers all."""
    logging.disable(logging.WARNING)
    results = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever Rasa or a library prints is not a result
    begun = time.perf_counter()
    agent = Agent.load(sys.argv[1])
    loaded = time.perf_counter() - begun
    cost = "--cost" in sys.argv
    for line in sys.stdin:
        text = json.loads(line)
        begun = time.perf_counter()
        parsed = await agent.processor.parse_message(_message(text)) if text.strip() else {}
        took = {"ms": round((time.perf_counter() - begun) * 1000, 3)} if cost else {}
        results.write(json.dumps({**result(text, parsed), **took}) + "\n")
    if cost:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        results.write(json.dumps({"mebibytes": round(peak), "load_seconds": round(loaded, 1)}) + "\n")
    results.flush()


def _message(text: str) -> Any:
    from rasa.core.channels.channel import UserMessage

    # A leading slash is the brain's inner language; here it is only a customer's character.
    return UserMessage(text if not text.startswith("/") else "／" + text[1:])


if __name__ == "__main__":
    asyncio.run(main())
