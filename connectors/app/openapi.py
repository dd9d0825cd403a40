"""The app API as OpenAPI 3.1, made of the models: it says what the code does, and nothing else."""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from connectors.app.frames import ErrorOut, MessageIn, MessageOut, TakenOut
from connectors.app.signing import SIGNATURE, TIMESTAMP

_REF = "#/components/schemas/{model}"
_MODELS: tuple[tuple[type[BaseModel], JsonSchemaMode], ...] = (
    (MessageIn, "validation"),
    (TakenOut, "serialization"),
    (ErrorOut, "serialization"),
    (MessageOut, "serialization"),
)
_REFUSALS = {
    400: "Not JSON, or a field is wrong",
    401: "The signature or the timestamp does not fit",
    413: "Too large",
    503: "Could not be stored now: send it again",
}


@cache
def document() -> dict[str, Any]:
    """The API of every app account; made once, as anybody may ask for it."""
    refs, schema = models_json_schema(list(_MODELS), ref_template=_REF)
    headers = [_header(TIMESTAMP, "Unix seconds"), _header(SIGNATURE, "v1=…, see above")]

    def content(model: type[BaseModel], mode: JsonSchemaMode) -> dict[str, Any]:
        return {"application/json": {"schema": refs[model, mode]}}

    refused = {
        str(status): {"description": why, "content": content(ErrorOut, "serialization")}
        for status, why in _REFUSALS.items()
    }
    taken = {"description": "Stored", "content": content(TakenOut, "serialization")}
    post_in = {
        "summary": "A customer wrote, pressed a button, came or left",
        "operationId": "message",
        "parameters": [_account(), *headers],
        "requestBody": {"required": True, "content": content(MessageIn, "validation")},
        "responses": {"202": taken, **refused},
    }
    post_out = {
        "summary": "kefu tells the shop's server what the customer is to read",
        "operationId": "deliver",
        "parameters": headers,
        "requestBody": {"required": True, "content": content(MessageOut, "serialization")},
        "responses": {
            "200": {"description": "Shown, or will be. Any 2xx is; anything else is tried again"},
            "410": {"description": "This customer is gone: nothing more is sent to them"},
            "429": {"description": "Too fast; Retry-After (seconds) is kept"},
        },
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "kefu app API",
            "version": "1",
            "description": f"Both directions are signed: {SIGNATURE} is `v1=` + hex HMAC-SHA256("
            f"secret, {TIMESTAMP} + `.` + raw body).",
        },
        "paths": {"/hooks/app/{account}": {"post": post_in}},
        "webhooks": {"message": {"post": post_out}},
        "components": {"schemas": schema.get("$defs", {})},
    }


def _header(name: str, about: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "header",
        "required": True,
        "description": about,
        "schema": {"type": "string"},
    }


def _account() -> dict[str, Any]:
    return {"name": "account", "in": "path", "required": True, "schema": {"type": "string"}}
