"""The OpenAPI document, made of the operations and the shapes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus

import msgspec

from devrun import __version__
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
    shapes: list[type[msgspec.Struct]] = [ProblemBody]
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


def _is_query(name: str) -> bool:
    return name in {operation.query.__name__ for operation in OPERATIONS}


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
    problem = {PROBLEM_JSON: {"schema": refs[ProblemBody]}}
    for status in sorted({*_ALWAYS, *operation.refuses}):
        responses[str(status)] = {"description": HTTPStatus(status).phrase, "content": problem}
    described: dict[str, object] = {
        "operationId": operation.handler,
        "summary": operation.summary,
        "parameters": [*_parameters(operation, components)],
        "responses": responses,
    }
    if operation.body is not None:
        needed = bool(components[operation.body.__name__].get("required"))
        body = {JSON: {"schema": refs[operation.body]}}
        described["requestBody"] = {"required": needed, "content": body}
    return described


def _parameters(
    operation: Operation, components: Mapping[str, Mapping[str, object]]
) -> Iterable[dict[str, object]]:
    if "{name}" in operation.path:
        schema = {"type": "string", "minLength": 1}
        yield {"name": "name", "in": "path", "required": True, "schema": schema}
    if operation.query is NoQuery:
        return
    shape = components[operation.query.__name__]
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
