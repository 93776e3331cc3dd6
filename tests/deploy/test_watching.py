"""Alerts and dashboard ask for numbers that web really gives, and every alert says what to do."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from itertools import combinations
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY

from helpdesk.conversations.rules import State
from helpdesk.outbox.usecases import State as Unsent
from jobs import turns
from tests.deploy.files import DEPLOY, PORTS, our_services, routes
from web import metrics

RULES = DEPLOY / "prometheus" / "alerts.yml"
SCRAPER = DEPLOY / "prometheus" / "prometheus.yml"
OF_PROMETHEUS = {"up": {"job", "instance"}}  # what it makes itself for everything it scrapes
SHAPES = {"histogram": ("_bucket", "_count", "_sum"), "counter": ("_total",), "gauge": ("",), "info": ("_info",)}
WORDS = {"sum", "max", "rate", "increase", "histogram_quantile", "topk", "by", "on", "and", "offset"}


@cache
def names() -> dict[str, set[str]]:
    """Every series of /metrics and its labels."""
    found = {name: set(labels) for name, labels in OF_PROMETHEUS.items()}
    kinds = (
        metrics.REQUESTS,
        metrics.TALKS,
        metrics.LINES,
        metrics.LONGEST,
        metrics.PARTS,
        turns.SECONDS,
        turns.FAILED,
    )
    ours = {metric._name: set(metric._labelnames) for metric in kinds}
    for family in REGISTRY.collect():
        for ending in SHAPES.get(family.type, ("",)):
            labels = {*ours.get(family.name, ()), *OF_PROMETHEUS["up"]}
            found[family.name + ending] = labels | ({"le"} if ending == "_bucket" else set())
    return found


def alerts() -> list[dict[str, Any]]:
    """All rules."""
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    """All panels of the dashboard."""
    return list(json.loads((DEPLOY / "grafana" / "zhike.json").read_text(encoding="utf-8"))["panels"])


def questions() -> Iterator[tuple[str, str]]:
    """Every expression, and where it stands."""
    for rule in alerts():
        yield rule["alert"], rule["expr"]
    for panel in panels():
        for target in panel["targets"]:
            yield panel["title"], target["expr"]


@pytest.mark.parametrize(("where", "expr"), list(questions()))
def test_the_numbers_asked_for_exist_with_their_labels_states_and_routes(where: str, expr: str) -> None:
    asked = re.sub(
        r"\b(by|on|without|ignoring) ?\([^)]*\)", "", re.sub(r"\{[^}]*\}|\[[^]]*\]|\b\d+[smhdw]\b", "", expr)
    )
    series = set(re.findall(r"[a-z_][a-z0-9_]*", asked)) - WORDS
    assert series and series <= set(names())
    for name, matchers in re.findall(r"([a-z_]+)\{([^}]*)\}", expr):
        for label, operator, value in re.findall(r'(\w+)(=~|!~|!=|=)"([^"]*)"', matchers):
            assert label in names()[name]
            values = value.split("|") if "~" in operator else [value]
            if label == "state":
                assert set(values) <= {*State, *Unsent}
            if label == "route":
                assert all(any(re.fullmatch(wanted, route) for route in routes()) for wanted in values)
    for group in re.findall(r"\bby ?\(([^)]*)\)", expr):
        known = set().union(*(names()[name] for name in series))
        assert {label.strip() for label in group.split(",")} <= known


def test_every_alert_says_what_to_do_and_how_urgent_it_is() -> None:
    assert len({rule["alert"] for rule in alerts()}) == len(alerts())
    for rule in alerts():
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"]["summary"] and len(rule["annotations"]["action"]) > 60
        assert rule["for"]


def test_gauges_read_from_the_database_are_never_added_up_over_processes() -> None:
    assert [where for where, expr in questions() if re.search(r"sum[^(]*\(\s*zhike_conversations", expr)] == []


def test_the_dashboards_panels_have_places_of_their_own() -> None:
    assert len({panel["id"] for panel in panels()}) == len(panels())
    for one, other in combinations([panel["gridPos"] for panel in panels()], 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        assert beside or one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in panels())


def test_every_web_process_of_compose_is_scraped() -> None:
    scraper = yaml.safe_load(SCRAPER.read_text())
    assert scraper["rule_files"] == [RULES.name]
    (job,) = scraper["scrape_configs"]
    assert all(f'job="{job["job_name"]}"' in expr for _, expr in questions() if "job=" in expr)
    fixed = {target for config in job["static_configs"] for target in config["targets"]}
    webs = {f"{name}:{PORTS['web']}" for name, service in our_services().items() if service["command"] == ["web"]}
    assert fixed == webs
    (found,) = job["dns_sd_configs"]
    assert our_services()[found["names"][0]]["command"] == ["worker"] and found["port"] == PORTS["worker"]


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed here (apt: prometheus)")
def test_prometheus_takes_the_rules() -> None:
    done = subprocess.run(["promtool", "check", "config", str(SCRAPER)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
