"""What every face's answers about tasks share: who asks, the faults that lie on a query, cancelling, the files."""

import asyncio
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response

from generations.sandbox import clips, faults
from generations.sandbox.face import Caller
from generations.sandbox.simulator import Simulator
from generations.sandbox.store import Task

WATERMARKED = "-watermark"
UNAVAILABLE = "<html><head><title>503 Service Unavailable</title></head></html>"


class FaultyAnswer(Exception):
    """A fault takes the place of the answer."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


def caller_of(request: Request) -> Caller:
    """Who asks, with the clock moved to now. Raises the face's Refusal."""
    simulator: Simulator = request.app.state.simulator
    face = simulator.face_of(request.url.path)
    account = face.account_of(request, simulator.store)
    simulator.advance()
    return Caller(request=request, store=simulator.store, face=face, account=account)


async def seen(caller: Caller, tasks: list[Task]) -> list[Task]:
    """These tasks as the query sees them, through whatever faults lie on them or on the query.

    Every route that tells how a task stands goes through it. Raises FaultyAnswer, which the application answers with.
    """
    call = faults.Call(provider=caller.face.name, account=caller.account.api_key, path=caller.request.url.path)
    wrong = faults.for_query(caller.store, call, tasks)
    if "poll-slow" in wrong:
        await asyncio.sleep(float(wrong["poll-slow"]))
    if "poll-5xx" in wrong:
        raise FaultyAnswer(HTMLResponse(UNAVAILABLE, 503))
    if "poll-garbage" in wrong:
        raise FaultyAnswer(Response('{"code":0,"data":[{"id":', media_type="application/json"))
    if "absent" in wrong:
        return []
    return [replace(task, id="1", external_id="not-yours") for task in tasks] if "wrong-ids" in wrong else tasks


def cancel(caller: Caller, task: Task) -> bool:
    """Ends a task for good; its face says what it costs. False when it had ended already.

    With the fault `cancel-ignored` it is true, and the work goes on.
    """
    simulator: Simulator = caller.request.app.state.simulator
    return simulator.cancel(task)


def file_url(task: Task, *, watermark: bool = False) -> str:
    """Where the result of a success can be fetched."""
    return f"{task.origin}/results/{task.id}{WATERMARKED if watermark else ''}.mp4"


async def result(request: Request) -> Response:
    """The MP4 of a finished task of any face, whole or by ranges, while its provider keeps it."""
    simulator: Simulator = request.app.state.simulator
    name = str(request.path_params["name"])
    task = simulator.store.task(name.removesuffix(WATERMARKED))
    if task is None or task.state != "succeeded" or task.kind != "video" or simulator.file_is_gone(task):
        return Response("Not Found", 404)
    for fault, status in (("result-403", 403), ("result-404", 404)):
        if fault in task.faults:
            faults.use_up(simulator.store, task, fault)
            return Response("Forbidden" if status == 403 else "Not Found", status)
    clip = clips.of(task.plan, watermark=name.endswith(WATERMARKED))
    return FileResponse(await simulator.clips.file(clip), media_type="video/mp4")
