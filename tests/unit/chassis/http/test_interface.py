"""HTTP as its RFCs say: what clients, proxies and scripts rely on, on our direct routes and on FastAPI's own."""

from __future__ import annotations

import gzip
import io
import json
import logging
from collections.abc import Iterator
from contextlib import redirect_stdout
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, FastAPI, Path, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import Field

from chassis import logs
from chassis.access.callers import ANONYMOUS, Caller, callers
from chassis.forms.body import Body
from chassis.forms.text import Line
from chassis.http import problems
from chassis.http.app import create_app
from chassis.http.direct_route import DirectRoute
from chassis.http.etag import IfMatch, version_of
from chassis.http.json_body import json_body
from chassis.http.representation import REFERENCE, public
from tests.harness.asgi import client_of
from tests.unit.chassis.conftest import DummySettings

NIK = "3171014512909001"
Anyone = Annotated[Caller, callers("anyone")]


class Everybody:
    """Lets everybody in."""

    async def caller(self, request: Any) -> Caller:
        """Nobody in particular."""
        return ANONYMOUS


class Inner(Body):
    """A form within the form."""

    name: Line = "x"


class Form(Body):
    """A form."""

    name: Line
    inner: Inner | None = None
    inners: list[Inner] = Field(default=[])


@pytest.fixture(params=[DirectRoute, None], ids=["direct", "FastAPI's"])
def app(request: pytest.FixtureRequest, dummy: DummySettings) -> FastAPI:
    """A few routes."""
    kind = {"route_class": request.param} if request.param else {}
    router = APIRouter(prefix="/v1", **kind)

    @router.get("/things")
    async def things(
        _caller: Anyone, n: Annotated[int, Query(le=9)] = 1, stage: Annotated[str | None, Query(alias="of")] = None
    ) -> Any:
        return {"n": n, "of": stage}

    @router.post("/things")
    async def make(_caller: Anyone, form: Annotated[Form, json_body(Form)]) -> Any:
        return {"name": form.name, "version": 7}

    @router.put("/things")
    async def put(_caller: Anyone) -> Any:
        return {}

    @router.delete("/things/{number}")
    async def drop(_caller: Anyone, number: Annotated[int, Path()], if_match: IfMatch = None) -> Any:
        versions = version_of(if_match)
        return {"versions": sorted(versions) if versions is not None else None}

    @router.get("/areas", dependencies=[public(REFERENCE)])
    async def areas(_caller: Anyone) -> Any:
        return {"items": ["Gambir"] * 300}

    @router.get("/lines")
    async def lines(_caller: Anyone) -> Any:
        async def pieces() -> Any:
            for number in range(500):
                yield f"row {number} of the file\n"

        return StreamingResponse(pieces(), media_type="text/csv")

    @router.get("/broken-off")
    async def broken_off(_caller: Anyone) -> Any:
        async def pieces() -> Any:
            yield "a" * 10
            raise RuntimeError(NIK)

        return StreamingResponse(pieces(), media_type="text/csv")

    @router.get("/bug")
    async def bug(_caller: Anyone) -> Response:
        raise RuntimeError(NIK)

    return create_app("test", dummy(), [router], Everybody())  # type: ignore[arg-type] # a double


async def test_head(app: FastAPI) -> None:
    """A monitor asks whether an address is there: the head that a GET gets, and no body."""
    async with client_of(app) as client:
        for path in ("/v1/things", "/v1/areas", "/v1/lines", "/openapi.json", "/v1/nowhere", "/v1/things?n=99"):
            get, head = await client.get(path), await client.head(path)
            assert (head.status_code, head.content) == (get.status_code, b"")
            names = set(get.headers) - {"transfer-encoding"}
            assert names <= set(head.headers)
            assert head.headers.get("content-length") == get.headers.get("content-length") or get.status_code >= 400


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("DELETE", "/v1/things", "GET, HEAD, POST, PUT"),
        ("PATCH", "/v1/things", "GET, HEAD, POST, PUT"),
        ("HEAD", "/v1/things/7", "DELETE"),
        ("POST", "/v1/areas", "GET, HEAD"),
    ],
)
async def test_allow_names_every_method(app: FastAPI, method: str, path: str, allow: str) -> None:
    """Of all routes at the address, not of the first one."""
    async with client_of(app) as client:
        answer = await client.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allow)


@pytest.mark.parametrize("hosts", [[], ["a", "b"], ["a", "a"], ["a b"], ["a/b"]])
async def test_one_host(app: FastAPI, hosts: list[str]) -> None:
    """A request without Host, with two or with rubbish there is none; a proxy could understand another than we."""
    sent: list[Any] = []
    scope = {
        "type": "http", "http_version": "1.1", "method": "GET", "path": "/v1/things", "raw_path": b"/v1/things", "scheme": "http",
        "query_string": b"", "headers": [(b"host", host.encode()) for host in hosts], "client": ("203.0.113.7", 1),
    }  # fmt: skip

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, None, send)  # type: ignore[arg-type] # nothing is received
    assert sent[0]["status"] == 400
    assert json.loads(sent[1]["body"])["errors"][0]["field"] == "Host"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ('"3"', [3]),
        ('"3", "5"', [3, 5]),
        ('W/"2"', []),
        ('W/"2", "3"', [3]),
        ('"abc"', []),
        ('"03"', []),
        ("*", None),
        ("3", 422),
        ('"3', 422),
        ("W/3", 422),
    ],
)
async def test_if_match(app: FastAPI, header: str, expected: Any) -> None:
    """Compared strongly (RFC 9110): a weak tag matches nothing, so the change is refused as stale and never made blindly."""
    async with client_of(app) as client:
        answer = await client.delete("/v1/things/7", headers={"If-Match": header})
    assert (answer.json()["versions"] if answer.status_code == 200 else answer.status_code) == expected


async def test_the_version_is_the_etag(app: FastAPI, request: pytest.FixtureRequest) -> None:
    """A reply that tells a version carries it as its ETag."""
    if "direct" not in request.node.name:
        pytest.skip("handlers of FastAPI's routes set it")
    async with client_of(app) as client:
        assert (await client.post("/v1/things", json={"name": "a"})).headers["etag"] == '"7"'


async def test_if_none_match(app: FastAPI) -> None:
    """A frontend asks for the areas again: 304 and nothing, until they change. Anything else is not kept by anybody."""
    async with client_of(app) as client:
        first = await client.get("/v1/areas")
        tag = first.headers["etag"]
        assert first.headers["cache-control"] == "public, max-age=3600"
        again = await client.get("/v1/areas", headers={"If-None-Match": f'"x", W/{tag}'})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert again.headers["cache-control"] == first.headers["cache-control"]
        assert "content-length" not in again.headers
        assert (await client.get("/v1/areas", headers={"If-None-Match": '"x"'})).status_code == 200
        assert (await client.get("/v1/things")).headers["cache-control"] == "no-store"
        signed_in = await client.get("/v1/areas", headers={"Authorization": "Bearer x"})
        assert signed_in.headers["cache-control"] == "no-store"
        assert "Authorization" in first.headers["vary"]


@pytest.mark.parametrize(
    ("accepted", "compressed"),
    [
        ("gzip", True),
        ("gzip, br", True),
        ("*", True),
        ("gzip;q=0", False),
        ("identity", False),
        ("br", False),
        ("gzip;q=0.1", True),
    ],
)
async def test_long_replies_travel_compressed(app: FastAPI, accepted: str, compressed: bool) -> None:
    """A cheap phone on a slow line: lists shrink; short replies and clients that can't are left alone."""
    async with client_of(app) as client:
        for path in ("/v1/areas", "/v1/lines"):
            async with client.stream("GET", path, headers={"Accept-Encoding": accepted}) as answer:
                raw = b"".join([piece async for piece in answer.aiter_raw()])
            assert (answer.headers.get("content-encoding") == "gzip") == compressed
            plain = gzip.decompress(raw) if compressed else raw
            assert plain.startswith(b"row 0") or len(json.loads(plain)["items"]) == 300
        assert "content-encoding" not in (await client.get("/v1/things", headers={"Accept-Encoding": accepted})).headers


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("partner_id=mine", [("partner_id", "unknown_parameter")]),
        ("n=1&n=2", [("n", "repeated_parameter")]),
        ("n=99&x=1&of=a&of=b", [("x", "unknown_parameter"), ("of", "repeated_parameter"), ("n", "less_than_equal")]),
        (f"{NIK}=1", [("#1", "unknown_parameter")]),
        ("n=1&Siti Contoh=1", [("#2", "unknown_parameter")]),
        ("stage=P1", [("stage", "unknown_parameter")]),
        ("n=", [("n", "int_parsing")]),
    ],
)
async def test_nothing_in_a_query_is_ignored(app: FastAPI, query: str, expected: list[tuple[str, str]]) -> None:
    """A mistyped filter would list everybody's: it is refused with whatever else is wrong, and the choices are named."""
    async with client_of(app) as client:
        answer = await client.get(f"/v1/things?{query}")
    assert (answer.status_code, [(e["field"], e["code"]) for e in answer.json()["errors"]]) == (422, expected)
    assert NIK not in answer.text
    if expected[0][1] == "unknown_parameter":
        assert "n, of" in answer.json()["errors"][0]["message_id"]


async def test_a_query_where_none_is_known(app: FastAPI) -> None:
    """Also on a route that takes a body and no parameters."""
    async with client_of(app) as client:
        answer = await client.post("/v1/things?dry_run=true", json={"name": "a"})
    assert [(e["field"], e["code"]) for e in answer.json()["errors"]] == [("dry_run", "unknown_parameter")]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{"name": "a", "name": "b"}', [("name", "repeated_key")]),
        ('{"name": "a", "inner": {"name": "b", "name": "b"}}', [("name", "repeated_key")]),
        ('{"name": "a", "inners": [{"name": "b"}, {"name": "c", "name" : "d"}]}', [("name", "repeated_key")]),
        ('{"name": 7, "name": "b", "surprise": 1}', [("name", "repeated_key"), ("surprise", "extra_forbidden")]),
        (f'{{"name": "a", "{NIK}": 1}}', [("?", "extra_forbidden")]),
        ('{"name": "a", "Siti Contoh, Jalan Melati": 1}', [("?", "extra_forbidden")]),
        ('{"name": "a\\": b"}', []),
        ('{"name": "\\"a\\": b, \\"c\\":"}', []),
        ('{"name": "a", "inner": {"name": "b"}, "inners": [{"name": "c"}, {}]}', []),
    ],
)
async def test_a_key_that_is_there_twice(app: FastAPI, body: str, expected: list[tuple[str, str]]) -> None:
    """Which of the two was meant? Readers of JSON disagree, so we don't guess. Keys are shown only if they look like names."""
    async with client_of(app) as client:
        answer = await client.post("/v1/things", content=body, headers={"Content-Type": "application/json"})
    found = [(e["field"], e["code"]) for e in answer.json()["errors"]] if answer.status_code == 422 else []
    assert found == expected
    assert NIK not in answer.text


@pytest.fixture
def written(dummy: DummySettings) -> Iterator[Any]:
    """`written()`: the log's lines."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    stream = io.StringIO()
    with redirect_stdout(stream):
        logs.configure(dummy(), "test")

    def read() -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in stream.getvalue().splitlines()]
        return [line for line in lines if line["logger"].startswith("chassis")]

    yield read
    logs._access, root.handlers, root.level = None, handlers, level


async def test_one_line_for_each_request(app: FastAPI, written: Any) -> None:
    """An operator traces what a partner's developer quotes: the id of the problem is that of the line; no value is in it."""
    async with client_of(app) as client:
        answer = await client.get(f"/v1/things?n={NIK}", headers={"X-Request-Id": NIK})
        await client.delete(f"/v1/things/{NIK}")
        await client.head("/v1/areas")
    lines = written()
    assert [(line["event"], line["method"], line["route"], line["status"]) for line in lines] == [
        ("request", "GET", "/v1/things", 422),
        ("request", "DELETE", "/v1/things/{number}", 200),
        ("request", "HEAD", "/v1/areas", 200),
    ]
    assert lines[0]["request_id"] == answer.json()["request_id"] == answer.headers["x-request-id"]
    assert lines[0]["caller"] == "anonymous"
    assert lines[0]["ms"] >= 0
    assert NIK not in json.dumps(lines)


async def test_one_line_for_an_unexpected_error(app: FastAPI, written: Any) -> None:
    """What it was and where, once; what its text said, which may be a person's data, nowhere."""
    async with client_of(app) as client:
        answer = await client.get("/v1/bug")
    assert answer.status_code == 500
    [error, request] = written()
    assert (error["event"], error["error"], error["route"]) == ("unexpected_error", "RuntimeError", "/v1/bug")
    assert error["request_id"] == request["request_id"] == answer.json()["request_id"]
    assert any("test_interface.py" in place for place in error["where"])
    assert NIK not in json.dumps(error)


async def test_a_reply_that_breaks_off(app: FastAPI, written: Any) -> None:
    """An error amid a file: the client must not take what came for the whole, and the log has one line about it."""
    async with client_of(app) as client:
        with pytest.raises(AssertionError):  # how the test's client says that the reply isn't complete
            await client.get("/v1/broken-off", headers={"Accept-Encoding": "identity"})
    lines = written()
    assert [line["event"] for line in lines] == ["reply_broken_off", "request"]
    assert NIK not in json.dumps(lines)


@pytest.mark.parametrize("status", [400, 408, 431])
def test_what_never_became_a_request(status: int) -> None:
    """The server itself refuses: also that is a problem document."""
    problem = json.loads(problems.raw(status, "req_1"))
    assert (problem["status"], problem["request_id"]) == (status, "req_1")
    assert problem["title"]
    assert problem["detail"]
