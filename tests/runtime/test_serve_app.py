"""The daemon's resources, called as an ASGI application within this process."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgeship_runtime.arrays import Array, Arrays
from edgeship_runtime.bundle import Bundle
from edgeship_runtime.bundle.storage import Memory
from edgeship_runtime.errors import EngineError
from edgeship_runtime.model import Model, load
from edgeship_runtime.serve import App
from edgeship_runtime.serve.asgi import Message
from tests import tiny

INFER = "/v2/models/tiny/infer"
LIMIT = 20_000


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return load(tiny.write(tmp_path_factory.mktemp("bundle") / "tiny.edgeship"))


@pytest.fixture(scope="module")
def app(model: Model) -> App:
    return App(model, max_body_bytes=LIMIT)


def call(app: App, method: str, path: str, **arguments: Any) -> httpx.Response:
    """Make one request of an application."""

    async def request() -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://board") as client:
            return await client.request(method, path, **arguments)

    return asyncio.run(request())


def body(rows: Array, **fields: Any) -> dict[str, Any]:
    """A request for the tiny model."""
    given = {"name": "x", "shape": list(rows.shape), "datatype": "FP32", "data": rows.tolist()}
    return {"inputs": [given], **fields}


def test_the_server_says_what_it_is(app: App) -> None:
    answer = call(app, "GET", "/v2")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {"name": "edgeship", "version": "0.1.0", "extensions": []}


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("/v2/health/live", {"live": True}),
        ("/v2/health/ready", {"ready": True}),
        ("/v2/models/tiny/ready", {"name": "tiny", "ready": True}),
        ("/v2/models/tiny/versions/1/ready", {"name": "tiny", "ready": True}),
    ],
)
def test_health_is_answered(app: App, path: str, content: object) -> None:
    answer = call(app, "GET", path)
    assert (answer.status_code, answer.json()) == (200, content)
    head = call(app, "HEAD", path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == answer.headers["content-length"]


@pytest.mark.parametrize("path", ["/v2/models/tiny", "/v2/models/tiny/versions/1"])
def test_the_model_says_what_it_takes_and_gives(app: App, path: str) -> None:
    assert call(app, "GET", path).json() == {
        "name": "tiny",
        "versions": ["1"],
        "platform": "edgeship_onnx",
        "inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 3]}],
        "outputs": [
            {"name": "label", "datatype": "INT64", "shape": [-1]},
            {"name": "probabilities", "datatype": "FP32", "shape": [-1, 2]},
        ],
    }


@pytest.mark.parametrize("path", [INFER, "/v2/models/tiny/versions/1/infer"])
def test_rows_are_answered_as_the_source_would_and_the_artifact_is_named(
    app: App, model: Model, path: str
) -> None:
    answer = call(app, "POST", path, json=body(tiny.ROWS, id="request-7")).json()
    expected = tiny.source_outputs(tiny.ROWS)
    label, probabilities = answer.pop("outputs")
    assert answer == {
        "model_name": "tiny",
        "model_version": "1",
        "id": "request-7",
        "parameters": {"variant": "onnx-float32", "artifact_sha256": model.variant.sha256},
    }
    assert label == {
        "name": "label",
        "datatype": "INT64",
        "shape": [4],
        "data": expected["label"].tolist(),
    }
    assert (probabilities["datatype"], probabilities["shape"]) == ("FP32", [4, 2])
    assert probabilities["data"] == pytest.approx(expected["probabilities"].ravel(), abs=1e-6)


def test_flat_and_nested_data_get_the_same_answer(app: App) -> None:
    nested = body(tiny.ROWS)
    flat = body(tiny.ROWS)
    flat["inputs"][0]["data"] = tiny.ROWS.ravel().tolist()
    one, other = (call(app, "POST", INFER, json=content) for content in (nested, flat))
    assert one.status_code == 200
    assert one.content == other.content


def test_an_answer_has_no_id_where_the_request_had_none(app: App) -> None:
    assert "id" not in call(app, "POST", INFER, json=body(tiny.ROWS)).json()


def test_only_the_outputs_asked_for_are_given(app: App) -> None:
    answer = call(app, "POST", INFER, json=body(tiny.ROWS, outputs=[{"name": "label"}]))
    assert [output["name"] for output in answer.json()["outputs"]] == ["label"]


def test_no_rows_get_an_empty_answer(app: App) -> None:
    answer = call(app, "POST", INFER, json=body(np.zeros((0, 3), np.float32))).json()
    assert [output["shape"] for output in answer["outputs"]] == [[0], [0, 2]]
    assert [output["data"] for output in answer["outputs"]] == [[], []]


def test_whole_numbers_may_be_declared_as_integers(app: App) -> None:
    content = body(np.array([[1, 2, 3]]))
    content["inputs"][0]["datatype"] = "INT64"
    assert call(app, "POST", INFER, json=content).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1",
        "/v2/",
        "/v2/health",
        "/v2/models",
        "/v2/models/other",
        "/v2/models/other/infer",
        "/v2/models/tiny/explain",
        "/v2/models/tiny/versions",
        "/v2/models/tiny/versions/2",
        "/v2/models/tiny/versions/2/infer",
        "/v2/models/%ff",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_is_not_there_is_not_found(app: App, method: str, path: str) -> None:
    answer = call(app, method, path)
    assert answer.status_code == 404
    assert list(answer.json()) == ["error"]


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("POST", "/v2", "GET, HEAD"),
        ("DELETE", "/v2/models/tiny", "GET, HEAD"),
        ("PUT", "/v2/health/ready", "GET, HEAD"),
        ("GET", INFER, "POST"),
        ("HEAD", INFER, "POST"),
    ],
)
def test_a_method_that_is_not_possible_is_answered_with_those_that_are(
    app: App, method: str, path: str, allow: str
) -> None:
    answer = call(app, method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allow)


def wrong(**fields: Any) -> dict[str, Any]:
    """A request whose one input is wrong in the given fields."""
    content = body(tiny.ROWS)
    content["inputs"][0].update(fields)
    return content


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"not JSON", "not an inference request"),
        (b"[" * 10_000, "not an inference request"),
        ({"inputs": []}, "input 'x' is missing"),
        (wrong(name="y"), "input 'x' is missing"),
        (wrong(shape=[4, 2]), "not nested by its shape"),
        (wrong(shape=[2, 6], data=[0.0] * 12), "expects the shape (any, 3), got (2, 6)"),
        (wrong(shape=[12], data=[0.0] * 12), "expects the shape (any, 3)"),
        (wrong(datatype="BYTES", data=["a"] * 12), "takes float32"),
        (wrong(datatype="FP8"), "unknown datatype"),
        (wrong(data=None), "not a list of FP32"),
        (wrong(shape=[1, 3], data=[1e300, 0, 0], datatype="FP64"), "NaN or infinite"),
        (body(tiny.ROWS, outputs=[{"name": "score"}]), "no output 'score'"),
    ],
)
def test_bad_input_is_refused_with_words(
    app: App, content: bytes | dict[str, Any], message: str
) -> None:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    answer = call(app, "POST", INFER, content=raw)
    assert answer.status_code == 400
    assert message in answer.json()["error"]


def test_a_refusal_does_not_grow_with_what_it_quotes(app: App) -> None:
    answer = call(app, "POST", INFER, json=wrong(name="n" * 15_000))
    assert answer.status_code == 400
    assert len(answer.content) < 2000


async def chunks(count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield b" " * 1000


@pytest.mark.parametrize("content", [b" " * (LIMIT + 1), chunks(LIMIT // 1000 + 1)])
def test_a_body_above_the_limit_is_refused_stated_or_not(app: App, content: Any) -> None:
    answer = call(app, "POST", INFER, content=content)
    assert answer.status_code == 413
    assert f"larger than {LIMIT} bytes" in answer.json()["error"]


def test_a_body_at_the_limit_is_read(app: App) -> None:
    content = json.dumps(body(tiny.ROWS)).encode().ljust(LIMIT)
    assert call(app, "POST", INFER, content=content).status_code == 200


class Overflowing:
    """An engine whose numbers ran over."""

    name = "overflowing 1"

    def run(self, inputs: Arrays) -> dict[str, Array]:
        rows = len(inputs["x"])
        return {"label": np.zeros(rows, np.int64), "probabilities": np.full((rows, 2), np.nan)}


class Failing:
    """An engine that fails as engines say they may."""

    name = "failing 1"

    def run(self, inputs: Arrays) -> dict[str, Array]:
        raise EngineError("failing 1 fails on the input: no memory left")


class Broken:
    """An engine that fails as none should."""

    name = "broken 1"

    def run(self, inputs: Arrays) -> dict[str, Array]:
        raise KeyError(f"the value {inputs['x'][0, 0]} of a patient")


def test_an_output_that_json_cannot_carry_is_an_error_and_not_invalid_json(model: Model) -> None:
    app = App(Model(model.bundle, model.variant, Overflowing()))
    answer = call(app, "POST", INFER, json=body(tiny.ROWS))
    assert answer.status_code == 500
    assert "output 'probabilities' holds NaN or infinite values" in answer.json()["error"]
    label = call(app, "POST", INFER, json=body(tiny.ROWS, outputs=[{"name": "label"}]))
    assert label.status_code == 200


def test_an_engine_that_fails_is_the_servers_error(
    model: Model, caplog: pytest.LogCaptureFixture
) -> None:
    answer = call(
        App(Model(model.bundle, model.variant, Failing())), "POST", INFER, json=body(tiny.ROWS)
    )
    assert answer.status_code == 500
    assert answer.json() == {"error": "failing 1 fails on the input: no memory left"}
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


def test_an_unforeseen_failure_shows_neither_a_traceback_nor_an_input(
    model: Model, caplog: pytest.LogCaptureFixture
) -> None:
    answer = call(
        App(Model(model.bundle, model.variant, Broken())), "POST", INFER, json=body(tiny.ROWS)
    )
    assert answer.status_code == 500
    assert answer.json() == {"error": "internal error: the server's log says where"}
    (line,) = caplog.messages
    assert line.startswith("internal error: KeyError at test_serve_app.py:")
    assert "patient" not in caplog.text


def test_a_client_that_leaves_before_its_request_is_whole_is_not_answered(app: App) -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": INFER, "headers": []}
    asyncio.run(app(scope, receive, send))
    assert sent == []


def test_the_event_loop_answers_health_while_the_model_computes(model: Model) -> None:
    async def both() -> tuple[int, int]:
        begun, done = asyncio.Event(), asyncio.Event()
        loop = asyncio.get_running_loop()

        class Waiting:
            name = "waiting 1"

            def run(self, inputs: Arrays) -> dict[str, Array]:
                loop.call_soon_threadsafe(begun.set)
                asyncio.run_coroutine_threadsafe(done.wait(), loop).result(timeout=20)
                return tiny.source_outputs(np.asarray(inputs["x"]))

        app = App(Model(model.bundle, model.variant, Waiting()))
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://board") as client:
            infer = asyncio.create_task(client.post(INFER, json=body(tiny.ROWS)))
            await begun.wait()
            health = await client.get("/v2/health/live")
            assert not infer.done()
            done.set()
            return health.status_code, (await infer).status_code

    assert asyncio.run(both()) == (200, 200)


def test_the_servers_start_and_stop_are_followed(model: Model) -> None:
    async def run() -> list[str]:
        events = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
        sent: list[str] = []

        async def receive() -> Message:
            return next(events)

        async def send(message: Message) -> None:
            sent.append(message["type"])

        await App(model)({"type": "lifespan"}, receive, send)
        return sent

    assert asyncio.run(run()) == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["x", "FP32", "INT64", "BYTES", "label", "name", "data"])
)
anything = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=12,
)
# Beyond this, the tiny model's own logits overflow.
numbers = st.floats(-1e6, 1e6) | st.integers(-1000, 1000)
tensors = st.fixed_dictionaries(
    {},
    optional={
        "name": st.just("x") | anything,
        "datatype": st.sampled_from(["FP32", "FP64", "INT8", "UINT64", "BOOL", "BYTES"]) | anything,
        "shape": st.just([1, 3]) | st.lists(st.integers(-1, 3), max_size=3) | anything,
        "data": st.lists(numbers, min_size=3, max_size=3) | anything,
        "parameters": anything,
    },
)
requests = st.fixed_dictionaries(
    {"inputs": st.lists(tensors, max_size=3) | anything},
    optional={"id": anything, "outputs": anything, "parameters": anything, "more": anything},
)
bodies = (
    st.binary(max_size=100)
    | anything.map(lambda value: json.dumps(value).encode())
    | requests.map(lambda value: json.dumps(value).encode())
)


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(bodies)
def test_no_body_whatever_is_the_servers_error(app: App, content: bytes) -> None:
    answer = call(app, "POST", INFER, content=content)
    assert answer.status_code in (200, 400)
    assert isinstance(answer.json(), dict)


def test_a_model_may_have_a_name_that_paths_must_quote(model: Model) -> None:
    manifest = msgspec.structs.replace(model.bundle.manifest, name="a/b ü")
    app = App(Model(Bundle(Memory({}), manifest, ""), model.variant, model.engine))
    assert call(app, "GET", "/v2/models/a%2Fb%20%C3%BC/ready").json()["name"] == "a/b ü"
