"""Ways a connection can break while the caller waits for its answer."""

import asyncio
import socket
import struct
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send


async def cut(request: Request, *, reset: bool) -> Response:
    """Ends the connection without an answer: with a reset, or with an orderly close."""
    transport = _transport(request.receive)
    if reset:
        unsent = struct.pack("ii", 1, 0)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, unsent)
    transport.abort()
    await asyncio.sleep(0)
    return Response()


async def silence(request: Request, seconds: float) -> None:
    """Until the caller gives up, at most so long."""
    try:
        async with asyncio.timeout(seconds):
            while not await request.is_disconnected():
                await asyncio.sleep(0.05)
    except TimeoutError:
        return


class HalfAnswer(Response):
    """Promises the whole body, sends half of it, and closes the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        half = bytes(self.body[: len(self.body) // 2])
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": half, "more_body": True})
        _transport(receive).close()
        await asyncio.sleep(0)


def _transport(receive: Receive) -> Any:
    """The server's own connection."""
    return receive.__self__.transport  # type: ignore[attr-defined]
