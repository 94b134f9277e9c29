"""The routes of the simulated API, and the application around one simulator."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from generations.sandbox import control, creates, queries, wire
from generations.sandbox.simulator import Simulator
from generations.sandbox.wire import Refusal

LEGACY = [path for path in creates.READERS if path.startswith("/v1/")]
ROUTES = [
    *control.ROUTES,
    *(Route(path, creates.create, methods=["POST"]) for path in creates.READERS),
    *(Route(path, queries.legacy_list) for path in LEGACY),
    *(Route(path + "/{wanted}", queries.one) for path in LEGACY),
    Route("/tasks", queries.batch),
    Route("/tasks", queries.cursor_list, methods=["POST"]),
    Route("/v1/general/presets-voices", queries.voices),
    Route("/v1/general/advanced-presets-elements", queries.preset_elements),
    Route("/v1/general/delete-advanced-elements", queries.delete_element, methods=["POST"]),
    Route("/v1/general/delete-elements", queries.delete_element, methods=["POST"]),
    Route("/account/costs", queries.costs),
    Route("/account/billing/balance", queries.ledger, methods=["POST"]),
    Route("/account/billing/package", queries.ledger, methods=["POST"]),
    Route("/results/{name}.mp4", queries.result),
]


async def _refused(request: Request, error: Exception) -> Response:
    return wire.refused(error if isinstance(error, Refusal) else Refusal(1202))


def application(simulator: Simulator) -> Starlette:
    """Unknown paths and methods answer 1202: Kling has no cancel either."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        clock = asyncio.create_task(simulator.run())
        yield
        clock.cancel()
        simulator.cancel_background()
        await simulator.client.aclose()

    app = Starlette(
        routes=ROUTES, lifespan=lifespan, exception_handlers={Refusal: _refused, 404: _refused, 405: _refused}
    )
    app.state.simulator = simulator
    return app
