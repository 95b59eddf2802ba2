"""The protocol's resources as a bare ASGI application."""

from __future__ import annotations

import asyncio
import logging
import traceback
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

import msgspec

from edgeship_runtime.errors import EdgeshipError, InputError
from edgeship_runtime.model import Model
from edgeship_runtime.serve.asgi import (
    Disconnected,
    Header,
    Receive,
    Refusal,
    Scope,
    Send,
    read_body,
    respond,
    segments,
)
from edgeship_runtime.serve.protocol import ServerMetadata, infer, model_metadata

MAX_BODY_BYTES = 64 << 20
# A message may quote names from the request; an answer does not grow with them.
_MAX_MESSAGE_LENGTH = 1000
_READ = ("GET", "HEAD")

_log = logging.getLogger("edgeship.serve")


class App:
    """One model, answering `/v2` and all below it.

    Bad input is answered with 4xx and `{"error": "..."}`, never with 500 or a traceback. What
    clients send is never logged.
    """

    def __init__(self, model: Model, *, max_body_bytes: int = MAX_BODY_BYTES) -> None:
        """Prepare to serve.

        Args:
            model: what answers. It is ready as soon as the application is.
            max_body_bytes: a larger body of a request is refused with 413.
        """
        self._model = model
        self._max_body_bytes = max_body_bytes
        # One thread beside the event loop: health is answered while a model computes, and
        # requests do not fight for a board's few cores and memory, which the engine's own
        # threads already share out within each.
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="infer")
        self._server_metadata = msgspec.json.encode(
            ServerMetadata(name="edgeship", version=version("edgeship"), extensions=[])
        )
        self._model_metadata = msgspec.json.encode(model_metadata(model))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or follow the server's start and stop: see the ASGI specification."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)
        else:
            raise NotImplementedError(f"edgeship speaks HTTP only, not {scope['type']}")

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self._worker.shutdown()
        await send({"type": "lifespan.shutdown.complete"})

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers: tuple[Header, ...] = ()
        try:
            status, body = 200, await self._answer(scope, receive)
        except Disconnected:
            return
        except Refusal as refusal:
            status, body, headers = refusal.status, _error(refusal), refusal.headers
        except InputError as error:
            status, body = 400, _error(error)
        except EdgeshipError as error:
            _log.error("%s", error)
            status, body = 500, _error(error)
        except asyncio.CancelledError:
            # Only a server that stops and waited long enough cancels a request.
            status, body = 503, _error("the server stopped before the request was done")
        except Exception as error:
            _log.error("internal error: %s", _place(error))
            status, body = 500, _error("internal error: the server's log says where")
        await respond(scope, send, status, body, headers)

    async def _answer(self, scope: Scope, receive: Receive) -> bytes:
        match segments(scope):
            case ["v2"]:
                return _read(scope, self._server_metadata)
            case ["v2", "health", "live"]:
                return _read(scope, b'{"live":true}')
            case ["v2", "health", "ready"]:
                return _read(scope, b'{"ready":true}')
            case ["v2", "models", name, "versions", tag, *rest]:
                self._check_model(name, tag)
                return await self._answer_for_model(rest, scope, receive)
            case ["v2", "models", name, *rest]:
                self._check_model(name)
                return await self._answer_for_model(rest, scope, receive)
        raise _no_such_path()

    async def _answer_for_model(self, path: list[str], scope: Scope, receive: Receive) -> bytes:
        match path:
            case []:
                return _read(scope, self._model_metadata)
            case ["ready"]:
                name = self._model.bundle.manifest.name
                return _read(scope, msgspec.json.encode({"name": name, "ready": True}))
            case ["infer"]:
                _check_method(scope, "POST")
                body = await read_body(scope, receive, self._max_body_bytes)
                loop = asyncio.get_running_loop()
                return await loop.run_in_executor(self._worker, infer, self._model, body)
        raise _no_such_path()

    def _check_model(self, name: str, tag: str | None = None) -> None:
        manifest = self._model.bundle.manifest
        if name != manifest.name:
            raise Refusal(404, f"there is no model {name!r}: this server has {manifest.name!r}")
        if tag not in (None, manifest.version):
            raise Refusal(
                404, f"{name!r} has no version {tag!r}: this server has {manifest.version!r}"
            )


def _read(scope: Scope, body: bytes) -> bytes:
    _check_method(scope, *_READ)
    return body


def _check_method(scope: Scope, *allowed: str) -> None:
    if scope["method"] not in allowed:
        names = ", ".join(allowed)
        raise Refusal(
            405,
            f"{scope['method']} is not possible here: use {names}",
            [(b"allow", names.encode())],
        )


def _no_such_path() -> Refusal:
    return Refusal(
        404, "there is nothing at this path: see /v2, /v2/health/ready and /v2/models/NAME"
    )


def _error(message: object) -> bytes:
    return msgspec.json.encode({"error": str(message)[:_MAX_MESSAGE_LENGTH]})


def _place(error: Exception) -> str:
    # The message of an unforeseen exception may quote the input; its kind and place do not.
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{where}"
