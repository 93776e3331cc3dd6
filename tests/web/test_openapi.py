"""The API keeps its own description, whatever is sent: schemathesis makes the calls, always the same ones."""

from itertools import count

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import BaseSchema, Case
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, status_code_conformance

from tests.web.people import Site, assert_problem

CALLS_EACH = 8
_count = count(1)


@pytest.fixture(scope="module")
def schema(_site: Site) -> BaseSchema:
    """The running web process's description of itself."""
    return schemathesis.openapi.from_url(f"{_site.url}/api/openapi.json", wait_for_schema=5)


CALM = settings(
    max_examples=CALLS_EACH,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance)


def test_every_call_gets_a_documented_answer_and_no_failure_of_the_server(site: Site, schema: BaseSchema) -> None:
    visitor = site.visitor().asks_for_a_person()
    agent = site.agent()
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) > 20
    for operation in operations:

        @CALM
        @given(case=operation.as_strategy())
        def call(case: Case) -> None:
            token = agent.token if case.path.startswith("/api/v1/agent") else visitor.token
            if case.method == "DELETE":
                token = site.agent().token
            if "conversation_id" in (case.path_parameters or {}):
                case.path_parameters["conversation_id"] = visitor.id
            if str((case.query or {}).get("wait", "")).isdigit():
                case.query["wait"] = "0" if int(case.query["wait"]) <= 30 else "31"  # nobody waits here
            n = next(_count)
            headers = {"Authorization": f"Bearer {token}", "X-Forwarded-For": f"172.16.{n // 250}.{n % 250}"}
            response = case.call(base_url=site.url, headers=headers, timeout=20)
            case.validate_response(response, checks=CHECKS)

        call()


def test_the_description_names_every_route_of_the_api_and_what_it_needs(site: Site) -> None:
    told = site.caller().get("/api/openapi.json").json()
    assert told["openapi"].startswith("3.1")
    paths = told["paths"]
    assert {path for path in paths if not path.startswith("/api/v1/")} == set()
    assert "/api/v1/conversations/{conversation_id}/messages" in paths
    assert "/api/v1/agent/conversations/{conversation_id}/accept" in paths
    open_doors = {
        (method, path)
        for path, methods in paths.items()
        for method, operation in methods.items()
        if method in {"get", "post", "put", "delete"} and not operation.get("security")
    }
    assert open_doors == {
        ("post", "/api/v1/conversations"),
        ("post", "/api/v1/agent/session"),
        ("get", "/api/v1/demo/customers"),
        ("post", "/api/v1/demo/sign-in"),
    }


def test_an_address_the_description_does_not_name_is_not_found(site: Site) -> None:
    assert_problem(site.caller().get("/api/v2/conversations"), 404)
