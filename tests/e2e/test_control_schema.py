"""The API is what its OpenAPI document says: whatever is asked, in whatever way."""

from __future__ import annotations

import json
import socket

import pytest
import requests
import schemathesis
import urllib3
from api import Api, can_be_asked, close_all, sockets_in
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from requests.adapters import HTTPAdapter
from running import PATIENCE, until
from schemathesis import checks
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from wsproto import ConnectionType, WSConnection
from wsproto.events import Request, TextMessage

STREAMS = ("/v1/events",)
"""They go on for ever, and have tests of their own."""

ENDS = ("/v1/shutdown",)

CHECKS = [
    checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


class _Connection(urllib3.connection.HTTPConnection):
    def __init__(self, path):
        super().__init__("devrun", timeout=PATIENCE)
        self._path = path

    def _new_conn(self):
        stream = socket.socket(socket.AF_UNIX)
        stream.settimeout(self.timeout)
        stream.connect(self._path)
        return stream


class _Pool(urllib3.connectionpool.HTTPConnectionPool):
    def __init__(self, path):
        super().__init__("devrun", timeout=PATIENCE)
        self._path = path

    def _new_conn(self):
        return _Connection(self._path)


class _Adapter(HTTPAdapter):
    """Sends requests to a Unix socket."""

    def __init__(self, path):
        super().__init__()
        self._pool = _Pool(str(path))

    def get_connection_with_tls_context(self, *_args, **_options):
        return self._pool

    def close(self):
        self._pool.close()
        super().close()


@pytest.fixture
def path(devrun, tmp_path_factory, tmp_path):
    """A run of two services that has been up; where it can be asked."""
    runtime = tmp_path_factory.mktemp("r")
    runtime.chmod(0o700)
    (tmp_path / "devrun.toml").write_text("""
        [services.web]
        command = "sleep 600"
        instances = 2
        [services.api]
        command = "echo begun; exec sleep 600"
        ready = { log = "begun" }
        [services.lasting]
        command = "sleep 600"
    """)
    run = devrun(env_added={"XDG_RUNTIME_DIR": str(runtime)})
    until(lambda: sockets_in(runtime) and can_be_asked(sockets_in(runtime)[0]), "it can be asked")
    yield sockets_in(runtime)[0]
    close_all()
    assert run.process.poll() is None
    assert "defect" not in run.text
    assert "failed:" not in run.text


@pytest.fixture
def session(path):
    with requests.Session() as session:
        session.mount("http://devrun", _Adapter(path))
        yield session


def within_bounds(case):
    """Have a request end soon, and find something now and then."""
    query = case.query or {}
    if "follow" in query:
        query["follow"] = "false"
    if case.path == "/v1/wait":
        query["timeout"] = "0"
    if case.path.endswith("/scale") and isinstance(case.body, dict) and "instances" in case.body:
        count = case.body["instances"]
        case.body["instances"] = count % 5 if isinstance(count, int) else count
    if case.path == "/v1/apply" and isinstance(case.body, dict):
        case.body["dry_run"] = True  # Or whatever is made up would be run.
    case.query = query
    return case


def test_whatever_is_asked_the_answer_is_one_that_the_document_has(path, session):
    document = Api(path).get("/v1/openapi.json")
    schema = schemathesis.openapi.from_dict(document)
    operations = [each.ok() for each in schema.get_all_operations()]
    operations = [each for each in operations if each.path not in (*STREAMS, *ENDS)]
    assert len(operations) > 15

    @given(st.data(), st.sampled_from(operations), st.sampled_from(["web", "api", "web.1", None]))
    @settings(max_examples=150, deadline=None, suppress_health_check=[*HealthCheck], database=None)
    def asked(data, operation, name):
        case = within_bounds(data.draw(operation.as_strategy()))
        if name is not None and "name" in (case.path_parameters or {}):
            case.path_parameters["name"] = name
        case.call_and_validate("http://devrun", session=session, checks=CHECKS)

    asked()
    assert Api(path).get("/v1/project")["services"] == ["web", "api", "lasting"]


def test_nonsense_is_refused_and_never_a_defect(path, session):
    document = Api(path).get("/v1/openapi.json")
    schema = schemathesis.openapi.from_dict(document)
    negative = schemathesis.GenerationMode.NEGATIVE
    operations = [each.ok() for each in schema.get_all_operations()]
    operations = [
        each
        for each in operations
        if each.path not in (*STREAMS, *ENDS) and (each.query or each.body)
    ]

    @given(st.data(), st.sampled_from(operations))
    @settings(max_examples=60, deadline=None, suppress_health_check=[*HealthCheck], database=None)
    def asked(data, operation):
        case = within_bounds(data.draw(operation.as_strategy(generation_mode=negative)))
        case.call_and_validate("http://devrun", session=session, checks=CHECKS)

    asked()


def test_the_document_is_what_it_says_it_is(path):
    document = Api(path).get("/v1/openapi.json")
    assert document["openapi"].startswith("3.1")
    for shape in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(shape)
    for way in document["paths"].values():
        for operation in way.values():
            assert operation["summary"]
            assert {"200", "101"} & {*operation["responses"]}
            assert all(response["description"] for response in operation["responses"].values())


def test_what_a_terminal_says_is_what_the_document_has(path):
    document = Api(path).get("/v1/openapi.json")
    attach = document["paths"]["/v1/instances/{name}/attach"]["get"]
    assert [each["name"] for each in attach["parameters"]] == ["name", "rows", "columns"]
    shapes = Draft202012Validator(
        {**attach["x-websocket"]["server"]["text"], "components": document["components"]}
    )
    web, stream = WSConnection(ConnectionType.CLIENT), socket.socket(socket.AF_UNIX)
    with stream:
        stream.settimeout(PATIENCE)
        stream.connect(str(path))
        stream.sendall(web.send(Request("devrun", "/v1/instances/api/attach")))
        texts = heard(web, stream)
        shapes.validate(next(texts))
        Api(path).post("/v1/services/api/restart")
        said = [next(texts), next(texts)]
        for each in said:
            shapes.validate(each)
        assert [("exit" in each, "generation" in each) for each in said] == [
            (True, False),
            (False, True),
        ]


def heard(web, stream):
    """Yield the texts of a WebSocket."""
    while True:
        web.receive_data(stream.recv(65536))
        for event in web.events():
            if isinstance(event, TextMessage):
                yield json.loads(event.data)


def test_how_something_ended_is_what_the_document_has(path):
    document = Api(path).get("/v1/openapi.json")
    shape = {**document["components"]["schemas"]["ExitedData"]}
    stream = Api(path).stream("/v1/events")
    Api(path).post("/v1/services/api/restart")
    data = (json.loads(line[6:]) for line in stream if line.startswith(b"data: "))
    exited = next(each for each in data if each["type"] == "exited")
    Draft202012Validator({**shape, "components": document["components"]}).validate(exited)
    assert exited["status"] == {"code": None, "signal": "SIGTERM"}
