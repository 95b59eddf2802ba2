"""The daemon: a model on a socket under uvicorn, from the self-test to the last answer.

This is the only file that imports uvicorn and httptools, the `serve` extra.
"""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from edgeship_runtime.model import Model
from edgeship_runtime.selftest import check_goldens
from edgeship_runtime.serve.app import App
from edgeship_runtime.serve.listen import listen_tcp, listen_unix

_STOPPING = (signal.SIGTERM, signal.SIGINT)


def serve(
    model: Model,
    *,
    host: str = "127.0.0.1",
    port: int = 8080,
    uds: str | os.PathLike[str] | None = None,
    drain_s: int = 30,
    on_ready: Callable[[str], None],
) -> None:
    """Serve a model until SIGTERM or SIGINT, then finish what was begun and return.

    The socket comes first, so that a port in use is known at once; then the goldens, while
    callers wait in the socket's queue; only then is a request read. To be called from the main
    thread, the only one that gets signals.

    Args:
        model: what answers.
        host: address or name to listen on.
        port: port to listen on; 0 takes a free one.
        uds: path of a Unix socket to listen on, instead of host and port.
        drain_s: how many seconds requests that were begun have to finish once told to stop.
        on_ready: called once with the URL, `http://127.0.0.1:8080` or `unix:/path`, when requests
            are answered.

    Raises:
        ServeError: where the socket cannot be had.
        SelfTestError: where this machine does not reproduce the goldens.
    """
    listening = listen_tcp(host, port) if uds is None else listen_unix(Path(uds))
    with listening as (listener, url):
        config = uvicorn.Config(
            App(model),
            http=HttpToolsProtocol,
            ws="none",
            lifespan="on",
            access_log=False,
            log_config=None,
            log_level="warning",
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=drain_s,
        )
        server = _Server(config, lambda: on_ready(url))
        with _stopped_by_signals(server):
            check_goldens(model)
            if not server.should_exit:
                server.run(sockets=[listener])


class _Server(uvicorn.Server):
    """uvicorn's server, saying when it is ready."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to take requests, then say so."""
        await super().startup(sockets)
        self._on_ready()


@contextmanager
def _stopped_by_signals(server: uvicorn.Server) -> Iterator[None]:
    # uvicorn takes signals only while it runs, and raises them again when it is done, for
    # whoever handled them before. That is this: it stops the server during the self-test, and
    # makes nothing of them afterwards, so that the process ends by itself and exits with 0.
    def stop(number: int, frame: object) -> None:
        del number, frame
        server.should_exit = True

    before = {number: signal.signal(number, stop) for number in _STOPPING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
