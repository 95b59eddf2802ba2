"""The daemon: one model behind the Open Inference Protocol v2.

`App` is the protocol as a bare ASGI application, which any ASGI server can run. The daemon that
`edgeship serve` starts is in `edgeship_runtime.serve.daemon`, the only file that needs uvicorn.
"""

from edgeship_runtime.serve.app import App

__all__ = ["App"]
