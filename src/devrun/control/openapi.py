"""The OpenAPI document, made of the operations and the shapes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus

import msgspec

from devrun import __version__
from devrun.control import attach_frames
from devrun.control.operations import JSON, OPERATIONS, Operation
from devrun.control.problems import PROBLEM_JSON
from devrun.control.shapes import NoQuery, ProblemBody

PATH = "/v1/openapi.json"

_REF = "#/components/schemas/{name}"
_ALWAYS = (400, 408, 413, 422, 500, 503)
"""What any request may be refused with: nonsense, slow or long bodies, wrong values, defects, and
too many clients."""


def document() -> dict[str, object]:
    """Return the document (OpenAPI 3.1)."""
    shapes: list[type[msgspec.Struct]] = [ProblemBody, *_OF_ATTACH]
    for operation in OPERATIONS:
        shapes += _gives(operation)
        shapes += [operation.query, *([operation.body] if operation.body else [])]
    refs, components = msgspec.json.schema_components(dict.fromkeys(shapes), ref_template=_REF)
    by_shape = dict(zip(dict.fromkeys(shapes), refs, strict=True))
    paths: dict[str, dict[str, object]] = {}
    for operation in OPERATIONS:
        described = _operation(operation, by_shape, components)
        paths.setdefault(operation.path, {})[operation.method.lower()] = described
    own = {"operationId": "openapi", "summary": "This document."}
    schema = {"content": {JSON: {"schema": {"type": "object"}}}, "description": "OK"}
    paths[attach_frames.PATH] = {"get": _attach(by_shape, components)}
    paths[PATH] = {"get": {**own, "responses": {"200": schema}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "devrun", "version": __version__, "description": _ABOUT},
        "paths": paths,
        "components": {"schemas": {n: s for n, s in components.items() if not _is_query(n)}},
    }


_ABOUT = (
    "A running devrun, on the Unix socket of its private folder. What there is keeps its name and"
    " its meaning within /v1; more may come. The names of services and instances in paths are"
    " percent-encoded, slashes too."
)


_OF_ATTACH = (attach_frames.AttachQuery, attach_frames.Resize, *attach_frames.SAID)


def _is_query(name: str) -> bool:
    queries = {operation.query for operation in OPERATIONS} | {attach_frames.AttachQuery}
    return name in {query.__name__ for query in queries}


def _gives(operation: Operation) -> tuple[type[msgspec.Struct], ...]:
    return operation.gives if isinstance(operation.gives, tuple) else (operation.gives,)


def _operation(
    operation: Operation,
    refs: Mapping[type[msgspec.Struct], object],
    components: Mapping[str, Mapping[str, object]],
) -> dict[str, object]:
    gives = [refs[shape] for shape in _gives(operation)]
    schema = gives[0] if operation.media_type == JSON else {"type": "string"}
    responses: dict[str, object] = {
        "200": {"description": "OK", "content": {operation.media_type: {"schema": schema}}}
    }
    if operation.media_type != JSON:
        responses["200"] = {
            "description": "One after another, each as JSON: any of these.",
            "content": {operation.media_type: {"schema": schema, "x-item": {"anyOf": gives}}},
        }
    responses |= _refusals({*_ALWAYS, *operation.refuses}, refs)
    described: dict[str, object] = {
        "operationId": operation.handler,
        "summary": operation.summary,
        "parameters": [*_parameters(operation.path, operation.query, components)],
        "responses": responses,
    }
    if operation.body is not None:
        needed = bool(components[operation.body.__name__].get("required"))
        body = {JSON: {"schema": refs[operation.body]}}
        described["requestBody"] = {"required": needed, "content": body}
    return described


def _attach(
    refs: Mapping[type[msgspec.Struct], object],
    components: Mapping[str, Mapping[str, object]],
) -> dict[str, object]:
    """Return the description of the WebSocket, for which OpenAPI has no words of its own."""
    return {
        "operationId": "attach",
        "summary": "One instance's terminal, by WebSocket.",
        "description": attach_frames.ABOUT,
        "parameters": [*_parameters(attach_frames.PATH, attach_frames.AttachQuery, components)],
        "responses": {
            "101": {"description": "Switching Protocols: a WebSocket (RFC 6455)"},
            **_refusals({*_ALWAYS, 404, 409, 426}, refs),
        },
        "x-websocket": {
            "client": {"binary": "what is typed", "text": refs[attach_frames.Resize]},
            "server": {
                "binary": "what the terminal shows",
                "text": {"anyOf": [refs[shape] for shape in attach_frames.SAID]},
            },
        },
    }


def _refusals(
    statuses: Iterable[int], refs: Mapping[type[msgspec.Struct], object]
) -> dict[str, object]:
    problem = {PROBLEM_JSON: {"schema": refs[ProblemBody]}}
    return {
        str(status): {"description": HTTPStatus(status).phrase, "content": problem}
        for status in sorted(statuses)
    }


def _parameters(
    path: str, query: type[msgspec.Struct], components: Mapping[str, Mapping[str, object]]
) -> Iterable[dict[str, object]]:
    if "{name}" in path:
        schema = {"type": "string", "minLength": 1}
        yield {"name": "name", "in": "path", "required": True, "schema": schema}
    if query is NoQuery:
        return
    shape = components[query.__name__]
    properties, required = shape["properties"], shape.get("required", ())
    if not isinstance(properties, Mapping) or not isinstance(required, list | tuple):
        raise TypeError(shape)
    for name, schema in properties.items():
        place = {"name": name, "in": "query", "required": name in required}
        yield {**place, "schema": _without_null(schema)}


def _without_null(schema: Mapping[str, object]) -> Mapping[str, object]:
    """Return the schema of a parameter that is left out where it says nothing."""
    choices = schema.get("anyOf")
    if not isinstance(choices, list) or {"type": "null"} not in choices:
        return schema
    found: Mapping[str, object] = choices[0]
    return found
