"""The face of Replicate, under `/replicate/v1`: Kling's models behind its predictions API.

schemas        what a model's `input` may hold, checked as Replicate does: field by field, all at once
inputs         what it asks for: a storyboard that adds up, a price, media to look at
predictions    a prediction as it is shown, the list of them, cancel, the signing secret
wire           problem bodies, words, credentials
"""

import json
import secrets
import string

from starlette.responses import JSONResponse, Response

from generations.sandbox.callbacks import standard_webhook
from generations.sandbox.face import Callback, Caller, Face, Rate
from generations.sandbox.replicate import inputs, predictions, wire
from generations.sandbox.store import Account, Store, Task

HOUR = 3600.0


def new_id(now: float) -> str:
    """26 letters and digits, in no order."""
    return "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(26))


def created(caller: Caller, task: Task | None) -> Response:
    """The whole prediction; without a task, one that lacks its id."""
    return JSONResponse(predictions.shown(task) if task else {"status": "starting", "error": None}, 201)


def callback(store: Store, account: Account, task: Task, forged: bool) -> Callback | None:
    """The prediction, when an event happens that was asked for."""
    event = "start" if task.state == "processing" else "completed"
    if task.state == "submitted" or event not in task.plan["events"]:
        return None
    body = json.dumps(predictions.shown(task), ensure_ascii=False)
    return standard_webhook(account.webhook_secret, body, forged=forged)


def bill(task: Task) -> int | None:
    """A success, and the share of a cancelled prediction that had run."""
    if task.state != "cancelled":
        return task.milliunits if task.state == "succeeded" else None
    share = (task.updated_at - task.start_at) / (task.finish_at - task.start_at)
    return round(task.milliunits * min(share, 1)) if share > 0 else None


REPLICATE = Face(
    name=wire.NAME,
    prefix="/replicate/v1",
    codes=wire.CODES,
    failures=wire.FAILURES,
    readers={f"/models/{name}/predictions": inputs.reader(name) for name in inputs.MODELS},
    routes=predictions.ROUTES,
    new_account=wire.new_account,
    account_of=wire.account_of,
    reference=wire.reference,
    refused=wire.refused,
    created=created,
    callback=callback,
    new_id=new_id,
    bill=bill,
    rate=Rate(creates=600, seconds=60),
    answer_seconds=HOUR,
    file_seconds=HOUR,
    retry_seconds=(5, 30, 120),
)
