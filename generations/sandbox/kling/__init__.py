"""The face of the official Kling API, at the root: both generations, elements, voices, ledgers.

videos, omni, motion, elements    what a create may say
queries                           answers about tasks and the account
rows                              a task as either generation writes it
wire                              the envelope, codes, words, credentials
"""

import json
import secrets
from functools import partial

from starlette.responses import Response

from generations.sandbox.callbacks import standard_webhook
from generations.sandbox.face import Callback, Caller, Face, Reader
from generations.sandbox.kling import elements, motion, omni, queries, rows, videos, wire
from generations.sandbox.orders import Order
from generations.sandbox.refusals import Refusal
from generations.sandbox.store import Account, Store, Task

READERS: dict[str, Reader] = {
    "/text-to-video/kling-3.0": videos.read_new_text,
    "/image-to-video/kling-3.0": videos.read_new_image,
    "/text-to-video/kling-3.0-turbo": partial(videos.read_new_text, version=videos.TURBO),
    "/image-to-video/kling-3.0-turbo": partial(videos.read_new_image, version=videos.TURBO),
    "/omni-video/kling-3.0-omni": partial(omni.read_new, version=omni.O3),
    "/omni-video/kling-o1": partial(omni.read_new, version=omni.O1),
    "/motion-control/kling-3.0": partial(motion.read_new, version=motion.V3),
    "/motion-control/kling-2.6": partial(motion.read_new, version=motion.V2_6),
    "/v1/videos/omni-video": omni.read_legacy,
    "/v1/videos/motion-control": motion.read_legacy,
    "/v1/videos/text2video": videos.read_legacy_text,
    "/v1/videos/image2video": videos.read_legacy_image,
    "/v1/general/advanced-custom-elements": elements.read,
}
LEGACY = [path for path in READERS if path.startswith("/v1/")]
THIRTY_DAYS = 30 * 24 * 3600.0


def new_id(now: float) -> str:
    return f"{int(now * 1000)}{secrets.randbelow(10**6):06}"


def created(caller: Caller, task: Task | None) -> Response:
    return wire.success(rows.created(task) if task else {})


def callback(store: Store, account: Account, task: Task, forged: bool) -> Callback:
    """Of every change: the row of a query."""
    body = json.dumps(rows.row(task), ensure_ascii=False)
    return standard_webhook(account.webhook_secret, body, forged=forged)


def check_reference(caller: Caller, order: Order, reference: str) -> None:
    """It is unique in its account, unless that is switched off."""
    if reference and caller.store.setting("unique_external_ids") and caller.tasks("external_id = ?", reference):
        raise Refusal(1201, "external_task_id already exists")


KLING = Face(
    name=wire.NAME,
    prefix="",
    codes=wire.CODES,
    failures=wire.FAILURES,
    readers=READERS,
    routes=queries.routes(LEGACY),
    new_account=wire.new_account,
    account_of=wire.account_of,
    reference=wire.reference,
    refused=wire.refused,
    created=created,
    callback=callback,
    new_id=new_id,
    check=check_reference,
    succeeded=elements.make,
    slots_per_model=True,
    file_seconds=THIRTY_DAYS,
)
