"""The face of fal.ai: a queue before Kling's models, a platform list of what has ended, signed webhooks.

    wire        errors, credentials, signatures        endpoints   what there is, takes what, costs what
    creates     what a create may say                  queries     status, result, cancel, list, keys

A create beyond two running ones waits in the queue. A failure is `COMPLETED` as well, and its result says why; results
are gone after an hour, the list remembers. `[sim:refuse 422]` refuses the content; `[sim:fail other words]` fails as
fal does when Kling refuses, with those words.
"""

import json
from functools import partial
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from generations.sandbox.face import Callback, Caller, Face, reference_in
from generations.sandbox.fal import creates, queries, wire
from generations.sandbox.fal.endpoints import APP, ENDPOINTS
from generations.sandbox.store import Account, Store, Task

HOUR = 3600.0
# Ten more tries in two hours.
RETRY_SECONDS = (15.0, 30.0, 60.0, 120.0, 240.0, 480.0, 900.0, 1200.0, 1800.0, 2355.0)


def reference(request: Request, body: object) -> str:
    return reference_in(request.query_params.get("fal_webhook", ""))


def created(caller: Caller, task: Task | None) -> Response:
    if task is None:
        return JSONResponse({"status": "IN_QUEUE", "queue_position": 0})
    named = {"request_id": task.id, "gateway_request_id": task.id, "status": "IN_QUEUE", "queue_position": 0}
    return JSONResponse(named | queries.urls(task), headers={"x-fal-request-id": task.id})


def callback(store: Store, account: Account, task: Task, forged: bool) -> Callback | None:
    """Of the end only."""
    if task.is_open:
        return None
    said = {"request_id": task.id, "gateway_request_id": task.id}
    error = wire.error_of(task)
    if error:
        said |= {"status": "ERROR", "error": f"Unexpected status code: {error.status}"}
    else:
        said |= {"status": "OK", "error": ""}
    body = json.dumps(said | {"payload": error.body if error else queries.output(task)})
    return Callback(body=body, headers=wire.signed(store, task.id, body, forged=forged))


FAL = Face(
    name=wire.NAME,
    prefix=wire.PREFIX,
    codes=wire.CODES,
    failures=wire.FAILURES,
    readers={APP + path: partial(creates.read, endpoint=endpoint) for path, endpoint in ENDPOINTS.items()},
    routes=queries.ROUTES,
    new_account=wire.new_account,
    account_of=wire.account_of,
    reference=reference,
    refused=wire.refused,
    created=created,
    callback=callback,
    new_id=lambda now: str(uuid4()),
    queues=True,
    answer_seconds=HOUR,
    file_seconds=7 * 24 * HOUR,
    retry_seconds=RETRY_SECONDS,
)
