"""Sockets to listen on, and plain words for why one cannot be had."""

from __future__ import annotations

import errno
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from edgeship_runtime.errors import ServeError

_BACKLOG = 128
_MAX_PORT = 65535
_TCP_REMEDIES = {
    errno.EADDRINUSE: "another process listens there: stop it, or choose another --port",
    errno.EACCES: "this user may not use the port: choose a --port from 1024 on",
    errno.EADDRNOTAVAIL: "the address is not this machine's: choose one of its own as --host",
}


@contextmanager
def listen_tcp(host: str, port: int) -> Iterator[tuple[socket.socket, str]]:
    """A socket that listens on `host` and `port`, 0 for a free one, and its URL.

    Raises:
        ServeError: where that cannot be had.
    """
    if not 0 <= port <= _MAX_PORT:
        raise ServeError(f"there is no port {port}: choose a --port from 0 to {_MAX_PORT}")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ServeError(
            f"the host {host!r} is not known ({error}): give --host an address of this machine"
        ) from error
    # `localhost` may be both; clients that try only one of them try IPv4.
    family, kind, protocol, _, address = min(found, key=lambda info: info[0] != socket.AF_INET)
    with socket.socket(family, kind, protocol) as listener:
        # Without this, a daemon that stopped keeps the port for a minute.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
            listener.listen(_BACKLOG)
        except OSError as error:
            why = _TCP_REMEDIES.get(error.errno or 0, f"{error.strerror}: choose another --host")
            raise ServeError(f"cannot listen on {_authority(host, port)}: {why}") from error
        yield listener, f"http://{_authority(host, listener.getsockname()[1])}"


@contextmanager
def listen_unix(path: Path) -> Iterator[tuple[socket.socket, str]]:
    """A Unix socket that listens at `path`, and its URL; the file is removed afterwards.

    A socket file that nobody listens on, left by a process that was killed, is replaced.

    Raises:
        ServeError: where another process listens there, something else is there, or the file
            cannot be made.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        try:
            _clear(path)
            listener.bind(str(path))
            # At once, since a socket that is bound but does not listen looks like a stale one.
            listener.listen(_BACKLOG)
            made = _identity(path)
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            raise ServeError(
                f"cannot listen on {path} ({why}): choose another --uds, in a folder that exists "
                "and that this user may write to"
            ) from error
        try:
            yield listener, f"unix:{path.absolute()}"
        finally:
            # Whoever replaced the file since keeps theirs.
            with suppress(OSError):
                if _identity(path) == made:
                    path.unlink()


def _clear(path: Path) -> None:
    if not os.path.lexists(path):
        return
    if not stat.S_ISSOCK(path.lstat().st_mode):
        raise ServeError(
            f"cannot listen on {path}: a file that is no socket is there, remove it or choose "
            "another --uds"
        )
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        # A listener whose queue is full would otherwise make this wait.
        caller.setblocking(False)
        try:
            caller.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
        except BlockingIOError:
            pass
    raise ServeError(
        f"cannot listen on {path}: another process listens there, stop it or choose another --uds"
    )


def _identity(path: Path) -> tuple[int, int]:
    status = path.lstat()
    return status.st_dev, status.st_ino


def _authority(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
