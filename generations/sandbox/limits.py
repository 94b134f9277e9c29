"""What an account may do: how fast it may create, how many videos at once, and for how much."""

from generations.sandbox import progress
from generations.sandbox.face import Caller
from generations.sandbox.orders import Order
from generations.sandbox.refusals import Refusal


def check(caller: Caller, order: Order, reference: str) -> bool:
    """Whether the new task gets a slot at once; False: it waits for one. Raises Refusal."""
    store, face, account = caller.store, caller.face, caller.account
    if face.rate and store.setting("rate_limits") and _lately(caller, face.rate.seconds) >= face.rate.creates:
        raise Refusal("fast")
    face.check(caller, order, reference)
    has_slot = order.kind != "video" or progress.taken(store, face, account, order.model) < account.slots
    if not has_slot and not face.queues:
        raise Refusal("full")
    if order.milliunits and account.milliunits - progress.spoken_for(store, account) < order.milliunits:
        raise Refusal("empty")
    return has_slot


def _lately(caller: Caller, seconds: float) -> int:
    """How many tasks the account made in the last so many seconds."""
    sql = "SELECT COUNT(*) AS n FROM creates WHERE provider = ? AND account = ? AND at > ? AND task_id IS NOT NULL"
    row = caller.store.row(sql, caller.face.name, caller.account.api_key, caller.store.now() - seconds)
    return int(row["n"]) if row else 0
