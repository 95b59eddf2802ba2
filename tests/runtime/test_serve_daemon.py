"""The daemon as its users meet it: a process, a socket and signals."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import msgspec
import pytest

from edgeship_runtime.arrays import Array, Arrays
from edgeship_runtime.bundle import BundleWriter
from edgeship_runtime.model import Model, load
from edgeship_runtime.serve.daemon import serve
from tests import tiny

INFER = "/v2/models/tiny/infer"
BODY = json.dumps(
    {"inputs": [{"name": "x", "shape": [4, 3], "datatype": "FP32", "data": tiny.ROWS.tolist()}]}
).encode()
COMMAND = "from edgeship.cli import main; main()"
# Runs the daemon as a program of its own would, with a short time to drain.
HURRIED = """
import sys
from edgeship_runtime.model import load
from edgeship_runtime.serve.daemon import serve
def announce(url):
    print("serving on", url, flush=True)
serve(load(sys.argv[1]), port=0, drain_s=1, on_ready=announce)
print("returned")
"""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bundle") / "tiny.edgeship"
    tiny.write(path)
    return path


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short path, since that of a Unix socket has at most 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="es-") as path:
        yield Path(path)


class Process:
    """A server's process, from its ready line on."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        self._process = process
        self.ready_line = process.stdout.readline().rstrip()
        self.url = self.ready_line.rpartition(" on ")[2]

    @property
    def address(self) -> tuple[str, int]:
        url = httpx.URL(self.url)
        return url.host, url.port or 80

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """Send a signal, and wait for the exit code and all that was written since."""
        self._process.send_signal(number)
        return self.wait()

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def wait(self) -> tuple[int, str]:
        out, err = self._process.communicate(timeout=30)
        return self._process.returncode, out + err


@contextmanager
def running(*arguments: object, code: str = COMMAND) -> Iterator[Process]:
    """A server, ended by its own process id if the test did not do so."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Process(process)
        finally:
            if process.poll() is None:
                process.kill()


def refused(*arguments: object) -> str:
    """The one line that a server which cannot start leaves behind."""
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, "serve", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    return line


def begin(connection: socket.socket) -> None:
    """Send a request but for its body, and wait until the server asks for that."""
    connection.settimeout(30)
    head = (
        f"POST {INFER} HTTP/1.1\r\nhost: board\r\ncontent-length: {len(BODY)}\r\n"
        "expect: 100-continue\r\n\r\n"
    )
    connection.sendall(head.encode())
    assert connection.recv(1000).startswith(b"HTTP/1.1 100")


def finish(connection: socket.socket) -> bytes:
    """Everything that the server still says on a connection."""
    answer = b""
    while data := connection.recv(65536):
        answer += data
    return answer


def test_a_model_is_served_on_a_free_port_until_sigterm(bundle: Path) -> None:
    with running("serve", bundle, "--port", 0, "--threads", 1) as server:
        assert server.ready_line.startswith("serving tiny (onnx-float32, onnxruntime ")
        assert server.url.startswith("http://127.0.0.1:")
        with httpx.Client(base_url=server.url) as client:
            assert client.get("/v2/health/ready").json() == {"ready": True}
            assert client.head("/v2/health/live").content == b""
            assert client.get("/v2/models/tiny").json()["platform"] == "edgeship_onnx"
            answer = client.post(INFER, content=BODY)
            assert answer.json()["outputs"][0]["data"] == [0, 1, 0, 1]
            assert client.post(INFER, content=b"{").status_code == 400
            assert client.get(INFER).status_code == 405
            assert client.get("/v2/models/other").status_code == 404
            assert client.post(INFER, content=bytes((64 << 20) + 1)).status_code == 413
            assert client.post(INFER, content=BODY).content == answer.content
        assert server.stop() == (0, "")


def test_a_model_is_served_on_a_unix_socket_whose_file_goes_with_it(
    bundle: Path, folder: Path
) -> None:
    path = folder / "edgeship.sock"
    with running("serve", bundle, "--uds", path) as server:
        assert server.url == f"unix:{path}"
        transport = httpx.HTTPTransport(uds=str(path))
        with httpx.Client(transport=transport, base_url="http://board") as client:
            answer = client.post(INFER, content=BODY)
            assert answer.json()["outputs"][0]["data"] == [0, 1, 0, 1]
        assert server.stop(signal.SIGINT) == (0, "")
    assert not path.exists()


def test_a_request_that_was_begun_is_answered_after_sigterm(bundle: Path) -> None:
    with running("serve", bundle, "--port", 0) as server:
        with (
            socket.create_connection(server.address, 30) as idle,
            socket.create_connection(server.address, 30) as busy,
        ):
            begin(busy)
            idle.sendall(b"GET /v2/health/live HTTP/1.1\r\nhost: board\r\n\r\n")
            assert idle.recv(1000).startswith(b"HTTP/1.1 200")
            server.signal(signal.SIGTERM)
            # The server closes idle connections when it begins to drain.
            finish(idle)
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(server.address, 30)
            busy.sendall(BODY)
            answer = finish(busy)
        assert answer.startswith(b"HTTP/1.1 200")
        assert b'"data":[0,1,0,1]' in answer
        assert server.wait() == (0, "")


def test_a_client_that_never_finishes_does_not_keep_the_server_from_stopping(bundle: Path) -> None:
    with running(bundle, code=HURRIED) as server:
        with socket.create_connection(server.address, 30) as stuck:
            begin(stuck)
            server.signal(signal.SIGTERM)
            assert finish(stuck).startswith(b"HTTP/1.1 503")
        code, written = server.wait()
        assert code == 0
        assert "returned\n" in written
        assert "Traceback" not in written


def test_a_port_in_use_is_said_in_one_line(bundle: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        line = refused(bundle, "--port", port)
    assert line == (
        f"edgeship: cannot listen on 127.0.0.1:{port}: another process listens there: stop it, or "
        "choose another --port"
    )


def test_an_address_of_another_machine_is_said_in_one_line(bundle: Path) -> None:
    # 203.0.113.0/24 is set aside for documentation, RFC 5737.
    assert "the address is not this machine's" in refused(bundle, "--host", "203.0.113.1")


def test_a_host_that_is_none_is_said_in_one_line(bundle: Path) -> None:
    assert "the host 'x..y' is not known" in refused(bundle, "--host", "x..y")


def test_a_socket_that_another_server_listens_on_is_refused_and_left_alone(
    bundle: Path, folder: Path
) -> None:
    path = folder / "live.sock"
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        other.listen()
        assert "another process listens there" in refused(bundle, "--uds", path)
        with socket.socket(socket.AF_UNIX) as caller:
            caller.connect(str(path))


def test_a_socket_that_nobody_listens_on_is_replaced(bundle: Path, folder: Path) -> None:
    path = folder / "stale.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with running("serve", bundle, "--uds", path) as server:
        transport = httpx.HTTPTransport(uds=str(path))
        with httpx.Client(transport=transport, base_url="http://board") as client:
            assert client.get("/v2/health/ready").status_code == 200
        assert server.stop() == (0, "")


def test_a_file_in_the_sockets_place_is_refused_and_left_alone(bundle: Path, folder: Path) -> None:
    path = folder / "notes.txt"
    path.write_text("mine")
    assert "a file that is no socket is there" in refused(bundle, "--uds", path)
    assert path.read_text() == "mine"


def test_a_socket_in_a_folder_that_is_not_there_is_refused(bundle: Path, folder: Path) -> None:
    assert "No such file or directory" in refused(bundle, "--uds", folder / "none" / "s.sock")


def test_a_board_that_does_not_reproduce_the_goldens_never_takes_a_request(
    tmp_path: Path, folder: Path
) -> None:
    manifest, files = tiny.manifest_and_files()
    writer = BundleWriter(tmp_path / "wrong")
    files["goldens/output-1.npy"] = tiny.npy(1 - tiny.source_outputs(tiny.ROWS)["probabilities"])
    entries = tuple(writer.add(name, data) for name, data in sorted(files.items()))
    writer.write(msgspec.structs.replace(manifest, files=entries))
    path = folder / "s.sock"
    with running("serve", tmp_path / "wrong", "--uds", path) as server:
        code, written = server.wait()
    assert (server.ready_line, code) == ("", 1)
    assert "off the source in output 'probabilities'" in written
    assert not path.exists()


def test_sigterm_during_the_self_test_stops_the_server_before_it_is_ready(bundle: Path) -> None:
    loaded = load(bundle)

    class Interrupted:
        """An engine during whose first batch the process is told to stop."""

        name = loaded.engine.name

        def run(self, inputs: Arrays) -> dict[str, Array]:
            signal.raise_signal(signal.SIGTERM)
            return loaded.engine.run(inputs)

    before = signal.getsignal(signal.SIGTERM)
    said: list[str] = []
    serve(Model(loaded.bundle, loaded.variant, Interrupted()), port=0, on_ready=said.append)
    assert said == []
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.parametrize("module", ["uvicorn", "httptools"])
def test_a_missing_extra_is_named(bundle: Path, module: str) -> None:
    blocked = f"import sys; sys.modules[{module!r}] = None; " + COMMAND
    done = subprocess.run(
        [sys.executable, "-c", blocked, "serve", str(bundle)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == (
        f"edgeship: the daemon needs {module}, which is not installed: "
        "pip install 'edgeship[serve]'\n"
    )


def test_garbage_on_the_wire_does_not_end_the_server(bundle: Path) -> None:
    with running("serve", bundle, "--port", 0) as server:
        with socket.create_connection(server.address, 30) as rude:
            rude.sendall(b"\x16\x03\x01 this is not HTTP\r\n\r\n")
            with suppress(ConnectionResetError):
                finish(rude)
        assert httpx.get(f"{server.url}/v2/health/ready").status_code == 200
        code, written = server.stop()
        assert code == 0
        assert "Traceback" not in written
