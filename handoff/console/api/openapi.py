"""``openapi.json``, made of the route table: it cannot say anything else than the server does."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, models_json_schema

from handoff.console.api.routing import Route
from handoff.console.api.security import COOKIE, CSRF_HEADER
from handoff.console.models import ErrorOut

_PARAMETER = re.compile(r"\{(\w+)\}")
_REF = "#/components/schemas/{model}"
_SAFE = frozenset({"GET", "HEAD"})


class _Untitled(GenerateJsonSchema):
    """Schemas whose fields have no titles: those would only repeat the fields' names."""

    def field_title_should_be_set(self, _schema: Any) -> bool:
        return False


def document(routes: Sequence[Route], *, version: str) -> dict[str, Any]:
    """The API as OpenAPI 3.1."""
    models: list[tuple[type[BaseModel], JsonSchemaMode]] = [(ErrorOut, "serialization")]
    models += [(one.answer, "serialization") for one in routes if one.answer is not None]
    models += [(one.body, "validation") for one in routes if one.body is not None]
    models += [(one.query, "validation") for one in routes if one.query is not None]
    refs, schema = models_json_schema(
        list(dict.fromkeys(models)), ref_template=_REF, schema_generator=_Untitled
    )
    definitions = schema.get("$defs", {})
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        operation = _operation(route, refs, definitions)
        paths.setdefault("/api/v1" + route.path, {})[route.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": "kefu console API", "version": version},
        "paths": paths,
        "components": {
            "schemas": definitions,
            "securitySchemes": {"session": {"type": "apiKey", "in": "cookie", "name": COOKIE}},
        },
    }


def _operation(route: Route, refs: dict[Any, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": route.summary,
        "operationId": route.handler.__name__,
        "security": [] if route.needs is None else [{"session": []}],
        "parameters": _parameters(route, refs, definitions),
        "responses": _responses(route, refs),
    }
    if route.needs is not None:
        operation["x-role"] = route.needs.value
    if route.body is not None:
        content = {"application/json": {"schema": refs[route.body, "validation"]}}
        operation["requestBody"] = {"required": True, "content": content}
    if route.upload:
        file = {"type": "string", "format": "binary"}
        schema = {"type": "object", "properties": {"file": file}, "required": ["file"]}
        content = {"multipart/form-data": {"schema": schema}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _parameters(
    route: Route, refs: dict[Any, Any], definitions: dict[str, Any]
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PARAMETER.findall(route.path)
    ]
    if route.query is not None:
        name = refs[route.query, "validation"]["$ref"].rpartition("/")[2]
        schema = definitions[name]
        required = schema.get("required", [])
        found += [
            {"name": field, "in": "query", "required": field in required, "schema": one}
            for field, one in schema.get("properties", {}).items()
        ]
    if route.needs is not None and route.method not in _SAFE:
        found.append(
            {"name": CSRF_HEADER, "in": "header", "required": True, "schema": {"type": "string"}}
        )
    return found


def _responses(route: Route, refs: dict[Any, Any]) -> dict[str, Any]:
    responses: dict[str, Any] = {}
    if route.media is not None:
        content = {route.media: {"schema": {"type": "string", "format": "binary"}}}
        responses[str(route.status)] = {"description": "The content", "content": content}
    elif route.answer is not None:
        content = {"application/json": {"schema": refs[route.answer, "serialization"]}}
        is_socket = route.status == 101  # noqa: PLR2004 - switching protocols
        description = "A WebSocket of JSON frames" if is_socket else route.summary
        responses[str(route.status)] = {"description": description, "content": content}
    else:
        responses["204"] = {"description": "Done"}
    error = {"application/json": {"schema": refs[ErrorOut, "serialization"]}}
    statuses = {*route.errors, 503}
    if route.needs is not None:
        statuses |= {401, 403}
    if route.body is not None:
        statuses |= {413, 422}
    if "{" in route.path:
        statuses.add(404)
    for status in sorted(statuses):
        responses[str(status)] = {"description": "Refused", "content": error}
    return responses
