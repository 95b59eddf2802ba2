"""The few pieces of ASGI that the daemon needs: reading a body, sending an answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any, TypeAlias
from urllib.parse import quote, unquote

Message: TypeAlias = MutableMapping[str, Any]
Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Header: TypeAlias = tuple[bytes, bytes]


class Refusal(Exception):
    """An answer other than 200, with the message that its body carries."""

    def __init__(self, status: int, message: str, headers: Sequence[Header] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.headers = tuple(headers)


class Disconnected(Exception):
    """The client left before its request was whole: there is nobody to answer."""


def segments(scope: Scope) -> list[str]:
    """The parts of the path, each decoded by itself, so that a name may hold a `/` as `%2F`."""
    raw: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
    return [unquote(part) for part in raw.decode("latin-1").split("/")[1:]]


async def read_body(scope: Scope, receive: Receive, limit: int) -> bytes:
    """The whole body of a request.

    Raises:
        Refusal: 413 where it is, or says that it will be, larger than `limit` bytes.
        Disconnected: where the client left before it was whole.
    """
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit() and int(value[:20]) > limit:
            raise _too_large(limit)
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        body += message.get("body", b"")
        if len(body) > limit:
            raise _too_large(limit)
        more = message.get("more_body", False)
    return bytes(body)


async def respond(
    scope: Scope, send: Send, status: int, body: bytes, headers: Sequence[Header] = ()
) -> None:
    """Send an answer in JSON; to HEAD only its headers."""
    fixed = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send(
        {"type": "http.response.start", "status": status, "headers": [*fixed, *headers]},
    )
    sent = b"" if scope["method"] == "HEAD" else body
    await send({"type": "http.response.body", "body": sent})


def _too_large(limit: int) -> Refusal:
    return Refusal(413, f"the body is larger than {limit} bytes: send fewer rows at once")
