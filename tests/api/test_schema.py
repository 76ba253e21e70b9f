"""Schemathesis drives the API by its own OpenAPI: every answer conforms to it, and nothing is a 500."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from bot.app import create_app
from bot.house import House

CHECKS = [
    not_a_server_error,
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
]
ONCE = pytest.mark.databases("sqlite", because="what is checked is the door; the store has its own tests")


@ONCE
def test_a_walk_through_the_api_by_its_links_never_fails(unhurried: House) -> None:
    tokens: dict[str, str] = {}
    seen: set[tuple[str, int]] = set()
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", create_app(unhurried))

    class Walk(schema.as_state_machine()):  # type: ignore[misc]
        def before_call(self, case: Any) -> None:
            token = tokens.get(str(case.path_parameters.get("id")) if case.path_parameters else "")
            if token:
                case.headers = {**(case.headers or {}), "Authorization": f"Bearer {token}"}

        def after_call(self, response: Any, case: Any) -> None:
            seen.add((case.operation.definition.raw["operationId"], response.status_code))
            if response.status_code == 201:
                tokens[response.json()["id"]] = response.json()["token"]

        def validate_response(self, response: Any, case: Any, **_: Any) -> None:
            case.validate_response(response, checks=CHECKS)

    health = list(HealthCheck)
    bounded = settings(
        max_examples=30, stateful_step_count=8, deadline=None, derandomize=True, suppress_health_check=health
    )
    run_state_machine_as_test(Walk, settings=bounded)
    assert {("begin", 201), ("state", 200), ("result", 200), ("erase", 204), ("send", 200)} <= seen


@ONCE
def test_the_page_of_openapi_names_every_route_and_no_address_elsewhere(unhurried: House) -> None:
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", create_app(unhurried))
    named = {(method.upper(), path) for path, each in schema.raw_schema["paths"].items() for method in each}
    assert named == {
        ("POST", "/conversations"),
        ("GET", "/conversations/{id}"),
        ("DELETE", "/conversations/{id}"),
        ("GET", "/conversations/{id}/result"),
        ("POST", "/conversations/{id}/events"),
    }
    assert "://" not in str(schema.raw_schema)
