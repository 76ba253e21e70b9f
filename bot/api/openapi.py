"""What openapi.json says of each route that FastAPI cannot read from a signature: bodies, headers, problems, links.

Handlers read the request themselves, so that a turn costs little; this page and the tests keep the schema true.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter

from bot.api.problems import ProblemData
from bot.api.shapes import BEGINNING, SENT, Begun, Result, State, Taken

VERSION = "1"
_REF = "#/components/schemas/{model}"
_INPUTS, _DEFINITIONS = TypeAdapter.json_schemas(
    [("begin", "validation", BEGINNING), ("send", "validation", SENT)], ref_template=_REF
)
_PROBLEMS = {
    400: "JSON illisible",
    401: "Jeton absent",
    404: "Inconnu, effacé, ou d'un autre",
    405: "Méthode refusée",
    409: "Périmé ou hors de propos : le tour présent",
    413: "Corps trop long",
    415: "Pas du JSON",
    422: "Champs à corriger",
    429: "Trop de conversations",
    500: "Erreur de notre côté",
    503: "Pas enregistré, à renvoyer",
}
_ID = {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1, "maxLength": 64}}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "La même pour un renvoi : le tour présent revient, rien ne change.",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,100}$"},
}
_BEARER: list[dict[str, list[str]]] = [{"jeton": []}]


def _responses(good: int, model: type[Any] | None, *problems: int) -> dict[int | str, dict[str, Any]]:
    described: dict[int | str, dict[str, Any]] = {good: {"model": model} if model else {"description": "Effacée"}}
    for status in (*problems, 500, 503):
        described[status] = {
            "description": _PROBLEMS[status],
            "content": {"application/problem+json": {"schema": {"$ref": _REF.format(model="ProblemData")}}},
        }
    for status in {429, 503} & set(described):
        described[status]["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "required": True}}
    return described


def _body(name: str, example: dict[str, Any], *, required: bool) -> dict[str, Any]:
    schema = _INPUTS[(name, "validation")]
    return {"required": required, "content": {"application/json": {"schema": schema, "example": example}}}


def _link(operation: str) -> dict[str, Any]:
    return {"operationId": operation, "parameters": {"id": "$response.body#/id"}}


BEGIN: dict[str, Any] = {
    "operation_id": "begin",
    "summary": "Commencer une conversation",
    "status_code": 201,
    "responses": _responses(201, Begun, 400, 413, 415, 422, 429),
    "openapi_extra": {"requestBody": _body("begin", {"trial": True}, required=False)},
}
BEGIN["responses"][201]["links"] = {name: _link(name) for name in ("send", "state", "result", "erase")}
SEND: dict[str, Any] = {
    "operation_id": "send",
    "summary": "Envoyer un événement : un choix, un texte ou une commande",
    "responses": _responses(200, Taken, 400, 401, 404, 409, 413, 415, 422),
    "openapi_extra": {
        "parameters": [_ID, _KEY],
        "security": _BEARER,
        "requestBody": _body("send", {"type": "command", "name": "why"}, required=True),
    },
}
STATE: dict[str, Any] = {
    "operation_id": "state",
    "summary": "Le tour présent et les réponses qui comptent",
    "responses": _responses(200, State, 401, 404),
    "openapi_extra": {"parameters": [_ID], "security": _BEARER},
}
RESULT: dict[str, Any] = {
    "operation_id": "result",
    "summary": "Ce que valent les réponses données jusqu'ici",
    "responses": _responses(200, Result, 401, 404),
    "openapi_extra": {"parameters": [_ID], "security": _BEARER},
}
ERASE: dict[str, Any] = {
    "operation_id": "erase",
    "summary": "Effacer la conversation, tout de suite",
    "status_code": 204,
    "responses": _responses(204, None, 401, 404),
    "openapi_extra": {"parameters": [_ID], "security": _BEARER},
}


def describe(api: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, made once."""
    if api.openapi_schema is None:
        made = get_openapi(
            title=api.title,
            version=api.version,
            description=api.description,
            routes=api.routes,
            servers=[{"url": "/api/v1"}],
        )
        parts = made["components"]
        _, problem = TypeAdapter.json_schemas([("p", "serialization", TypeAdapter(ProblemData))], ref_template=_REF)
        parts["schemas"] = {**_DEFINITIONS["$defs"], **problem["$defs"], **parts["schemas"]}
        parts["securitySchemes"] = {"jeton": {"type": "http", "scheme": "bearer"}}
        api.openapi_schema = made
    return api.openapi_schema
