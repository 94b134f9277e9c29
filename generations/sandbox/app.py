"""The application around one simulator: the control endpoint, the files, and the routes of every face."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from generations.sandbox import control, creates, queries
from generations.sandbox.face import Face
from generations.sandbox.queries import FaultyAnswer
from generations.sandbox.refusals import Refusal
from generations.sandbox.simulator import Simulator


def _routes(face: Face) -> Iterator[Route]:
    for path, reader in face.readers.items():
        yield Route(face.prefix + path, partial(creates.create, face, reader), methods=["POST"])
    for route in face.routes:
        yield Route(face.prefix + route.path, route.endpoint, methods=sorted(route.methods or ()))


async def _refused(request: Request, error: Exception) -> Response:
    """In the language of the face whose path it is; unknown paths and methods too."""
    simulator: Simulator = request.app.state.simulator
    face = simulator.face_of(request.url.path)
    return face.refusal(error if isinstance(error, Refusal) else Refusal("unknown"))


async def _faulty(request: Request, error: Exception) -> Response:
    assert isinstance(error, FaultyAnswer)
    return error.response


def application(simulator: Simulator) -> Starlette:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        clock = asyncio.create_task(simulator.run())
        yield
        clock.cancel()
        simulator.cancel_background()
        await simulator.client.aclose()

    faces = (route for face in simulator.faces.values() for route in _routes(face))
    app = Starlette(
        routes=[*control.ROUTES, Route("/results/{name}.mp4", queries.result), *faces],
        lifespan=lifespan,
        exception_handlers={Refusal: _refused, FaultyAnswer: _faulty, 404: _refused, 405: _refused},
    )
    app.state.simulator = simulator
    return app
