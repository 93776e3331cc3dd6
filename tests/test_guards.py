"""What must hold for the whole tree, so that nobody forgets it."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from apiflask import APIFlask
from rasa_sdk.executor import ActionExecutor

from actions import server
from core import db, migrate, settings
from migrations.models import metadata
from web import access
from web.app import create_app

ROOT = Path(__file__).resolve().parent.parent
CODE = ("actions", "bot", "channels", "cli", "core", "crm", "helpdesk", "jobs", "knowledge_base", "reports", "web")
TEMPLATES = sorted((ROOT / "web" / "templates").rglob("*.html"))


# Routes

PUBLIC = {
    "static",
    "openapi.spec",
    "customer.open_talk",
    "agent.sign_in",
    "demo.faces",  # 404 outside demo mode
    "demo.sign_in",  # the same
    "pages.chat",
    "pages.widget",
    "pages.favicon",
    "pages.desk",
    "pages.administration",
    "pages.supervision",
    "pages.help_centre",
    "pages.article",
    "pages.picture",  # its address is signed
    "pages.healthz",
    "pages.readyz",
    "pages.numbers",
    "wechat.confirm",  # signed by the platform
    "wechat.callback",  # the same
    "wechat.bind_page",  # its link carries our signature; binding takes the shop's token
    "wechat.bind",
}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[APIFlask]:
    """The application in this process, with settings of its own."""
    kept = dict(os.environ)
    os.environ.update(ZHIKE_VAR_DIR=str(tmp_path_factory.mktemp("var")), ZHIKE_DATABASE_URL="", ZHIKE_DEMO="false")
    settings.load.cache_clear()
    db.engine.cache_clear()
    metadata.create_all(db.engine())
    yield create_app()
    db.engine().dispose()
    os.environ.clear()
    os.environ.update(kept)
    settings.load.cache_clear()
    db.engine.cache_clear()


def test_every_route_says_who_may_call_it(app: APIFlask) -> None:
    silent = [rule.rule for rule in app.url_map.iter_rules() if access.kind_of(app, rule.endpoint) is None]
    assert silent == []
    assert {access.kind_of(app, r.endpoint) for r in app.url_map.iter_rules()} == {"public", "customer", "agent"}


def test_only_the_routes_of_the_short_list_are_public(app: APIFlask) -> None:
    found = {r.endpoint for r in app.url_map.iter_rules() if access.kind_of(app, r.endpoint) == "public"}
    assert found - PUBLIC == set(), "a route is public that nobody decided on"
    assert PUBLIC - found == set(), "gone; take it off the list"


def test_a_route_that_says_nothing_is_refused(app: APIFlask) -> None:
    fresh = APIFlask("unmarked")
    access.guard(fresh)
    fresh.add_url_rule("/unmarked", view_func=lambda: "open")
    with fresh.test_request_context("/unmarked"), pytest.raises(access.Unauthenticated):
        fresh.preprocess_request()


def test_routes_of_agents_and_customers_ask_for_a_token(app: APIFlask) -> None:
    client = app.test_client()
    for rule in app.url_map.iter_rules():
        if access.kind_of(app, rule.endpoint) == "public":
            continue
        path = re.sub(r"<[^>]+>", "x", re.sub(r"<int:[^>]+>", "1", rule.rule))
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            assert client.open(path, method=method).status_code == 401, (method, path)


@pytest.mark.parametrize(
    "path", ["/", "/?embedded=1", "/help", "/healthz", "/static/favicon.svg", "/api/v1/agent/me", "/nope"]
)
def test_every_answer_carries_the_security_headers(app: APIFlask, path: str) -> None:
    headers = app.test_client().get(path).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";") if part.strip())
    assert policy["default-src"] == policy["script-src"] == policy["base-uri"] == policy["form-action"] == "'self'"
    assert policy["object-src"] == "'none'"
    assert policy["frame-ancestors"] == "'self'"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "Set-Cookie" not in headers


# The brain's data

# The label set: reports and outside examiners refer to these 46 names.
INTENTS = [
    "greet",
    "goodbye",
    "thank",
    "affirm",
    "deny",
    "cancel_flow",
    "bot_challenge",
    "chitchat",
    "out_of_scope",
    "request_human",
    "query_order",
    "track_logistics",
    "urge_shipping",
    "change_address",
    "cancel_order",
    "report_not_received",
    "report_item_problem",
    "return_goods",
    "exchange_goods",
    "query_refund",
    "request_repair",
    "book_installation",
    "reschedule_visit",
    "query_service_progress",
    "query_warranty",
    "request_invoice",
    "price_protection",
    "payment_problem",
    "query_coupon",
    "query_points",
    "query_membership",
    "query_promotion",
    "query_stock",
    "product_consult",
    "product_recommend",
    "enterprise_purchase",
    "account_problem",
    "update_profile",
    "privacy_request",
    "unsubscribe",
    "complaint",
    "suggestion",
    "praise",
    "give_rating",
    "inform",
    "faq",
]
PHRASES_LEAST = 40
BEGUN_BY_ACTIONS = {"verify_form", "explain_rating_form"}  # no intent starts them


@cache
def files(folder: str) -> list[dict[str, Any]]:
    """The YAML files of a folder."""
    return [yaml.safe_load(path.read_text()) for path in sorted((ROOT / folder).glob("*.yml"))]


def named(values: Any) -> list[str]:
    """Names in a list of names and one-key mappings."""
    return [next(iter(v)) if isinstance(v, dict) else v for v in values or ()]


def in_domain(part: str) -> list[str]:
    """All names of a part of the domain."""
    return [name for file in files("bot/domain") for name in named(file.get(part))]


def steps() -> list[list[dict[str, Any]]]:
    """The steps of every rule."""
    return [rule["steps"] for file in files("data/rules") for rule in file.get("rules") or ()]


@pytest.fixture(scope="module")
def executor() -> ActionExecutor:
    return server.executor()


def test_there_are_46_intents() -> None:
    assert len(set(INTENTS)) == len(INTENTS) == 46


@pytest.mark.parametrize("intent", INTENTS)
def test_every_intent_is_in_the_domain_has_phrases_and_a_rule(intent: str) -> None:
    assert in_domain("intents").count(intent) == 1
    examples = [e for file in files("data/nlu") for e in file["nlu"] if e.get("intent") == intent]
    phrases = {line.strip("- ").strip() for e in examples for line in e["examples"].splitlines() if line.strip()}
    assert len(phrases) >= PHRASES_LEAST
    assert [s for s in steps() if s[0].get("intent") == intent], "no rule begins with it"


def test_the_domain_and_the_data_know_no_intents_besides() -> None:
    assert set(in_domain("intents")) - {"nlu_fallback"} <= set(INTENTS)
    assert {e["intent"] for file in files("data/nlu") for e in file["nlu"] if "intent" in e} <= set(INTENTS)


def test_every_action_of_the_domain_exists_and_every_action_is_in_the_domain(executor: ActionExecutor) -> None:
    wanted = in_domain("actions")
    assert sorted(wanted) == sorted(set(wanted)), "named twice"
    assert set(wanted) - set(executor.actions) == set(), "named, but nobody wrote it"
    assert set(executor.actions) - set(wanted) == set(), "written, but the brain does not know it"


def test_every_action_of_a_rule_is_in_the_domain() -> None:
    used = {step["action"] for rule in steps() for step in rule if "action" in step}
    assert used <= {*in_domain("actions"), *in_domain("forms")}


def test_every_form_is_validated_and_has_a_rule_for_its_begin_and_its_end() -> None:
    actions = set(in_domain("actions"))
    for form in in_domain("forms"):
        assert f"validate_{form}" in actions, form
        begins = [s for s in steps() if "intent" in s[0] and {"active_loop": form} in s]
        assert begins or form in BEGUN_BY_ACTIONS, f"no rule begins {form}"
        ends = [s for s in steps() if s[0].get("action") == form and {"active_loop": None} in s]
        assert len(ends) == 1, f"{form} needs exactly one rule for its end"
        assert ends[0][-1]["action"].startswith("action_"), form


def test_every_slot_a_form_asks_for_exists_and_has_its_question() -> None:
    slots, actions = set(in_domain("slots")), set(in_domain("actions"))
    for file in files("bot/domain"):
        for form, content in (file.get("forms") or {}).items():
            for slot in content["required_slots"]:
                assert slot in slots, (form, slot)
                assert f"action_ask_{slot}" in actions, (form, slot)


# The database


def test_there_is_one_newest_migration() -> None:
    assert len(ScriptDirectory.from_config(migrate.config()).get_heads()) == 1


def test_a_migrated_database_is_what_the_models_say(tmp_path: Path) -> None:
    engine = db.make_engine(f"sqlite:///{tmp_path / 'migrated.db'}")
    migrate.upgrade(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    assert migrate.is_current(engine)
    engine.dispose()


# Settings

UNITS = ("_seconds", "_minutes", "_hours", "_days", "_ms", "_bytes", "_chars", "_cents")
PLAIN_NUMBERS = {  # counted pieces and ports
    "port",
    "brain_port",
    "actions_port",
    "web_threads",
    "turn_workers",
    "trusted_proxies",
    "verify_tries",
    "golden_lines_tolerance",
    "wechat_waiting",
    "wechat_senders",
}


def test_every_setting_is_explained_and_in_env_example() -> None:
    told = (ROOT / ".env.example").read_text()
    for name, field in settings.Settings.model_fields.items():
        assert field.description and field.description.endswith("."), name
        assert f"#ZHIKE_{name.upper()}=" in told, f"{name}: run scripts/env_example.py"
    subprocess.run([sys.executable, "scripts/env_example.py", "--check"], cwd=ROOT, check=True)


def test_env_example_names_no_setting_that_is_gone() -> None:
    told = set(re.findall(r"^#ZHIKE_(\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert told == {name.upper() for name in settings.Settings.model_fields}


def test_numbers_that_measure_have_their_unit_in_the_name() -> None:
    for name, field in settings.Settings.model_fields.items():
        if field.annotation in {int, float} and name not in PLAIN_NUMBERS:
            assert any(unit in name for unit in UNITS), f"{name}: seconds, bytes or what?"


def test_no_setting_is_read_past_core_settings() -> None:
    for path in python_files():
        if path.is_relative_to(ROOT / "bot") or path.is_relative_to(ROOT / "cli") or path.parent == ROOT / "core":
            continue
        assert not re.search(r"os\.(getenv|environ)", path.read_text()), path


# Templates and code


def test_nothing_is_trusted_in_a_template_but_an_articles_cleaned_html() -> None:
    trusted = [
        (path.name, found)
        for path in TEMPLATES
        for found in re.findall(r"\{\{[^}]*\|\s*safe[^}]*\}\}|\{%\s*autoescape[^%]*%\}", path.read_text())
    ]
    assert trusted == [("article.html", "{{ html|safe }}")]


def test_an_articles_html_is_cleaned() -> None:
    from knowledge_base.rendering import render

    evil = "你好<script>alert(1)</script> [点我](javascript:alert(1)) <img src=x onerror=alert(1)> <a onclick='x'>a</a>"
    shown = render(evil)
    assert "你好" in shown
    for part in ("<script", 'href="javascript', "<img", "<a onclick"):
        assert part not in shown


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda p: p.name)
def test_no_template_holds_a_script_or_a_handler(path: Path) -> None:
    page = path.read_text()
    for attributes, content in re.findall(r"<script\b([^>]*)>(.*?)</script>", page, re.DOTALL):
        assert "src=" in attributes or 'type="application/json"' in attributes
        assert "src=" not in attributes or not content.strip()
    assert not re.search(r"<[^>]+\son\w+\s*=", page), "a handler in an attribute"
    assert "javascript:" not in page
    assert not re.search(r"(?:src|href|action)=[\"'](?:https?:)?//", page), "something from another host"


def python_files() -> list[Path]:
    """Our Python files."""
    return [path for folder in CODE for path in (ROOT / folder).rglob("*.py") if "node_modules" not in path.parts]


def imports(path: Path) -> set[str]:
    """The modules a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


@pytest.mark.parametrize(
    "path", [p for p in python_files() if p.name == "rules.py"], ids=lambda p: str(p.relative_to(ROOT))
)
def test_rules_import_the_standard_library_the_core_and_other_rules_only(path: Path) -> None:
    foreign = {
        module
        for module in imports(path)
        if module.split(".")[0] not in {*sys.stdlib_module_names, "core"} and not module.endswith(".rules")
    }
    assert foreign == set()
    assert not imports(path) & {"core.db", "core.clock", "core.settings"}, (
        "a rule is told the time, and asks no database"
    )


def test_a_row_that_was_read_is_locked_in_one_way_which_both_databases_know() -> None:
    for path in python_files():
        if path != ROOT / "core" / "db.py":
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "refresh":
                    assert not {keyword.arg for keyword in node.keywords} & {"with_for_update"}, f"{path}: use db.lock"


def test_nothing_imports_requests_or_eval_of_strings() -> None:
    for path in python_files():
        assert "requests" not in {module.split(".")[0] for module in imports(path)}, path
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in {"eval", "exec"}, path
