"""fal.ai: Kling's models behind a queue.

A request is sent once and waits in the queue (`IN_QUEUE`), runs (`IN_PROGRESS`) and is `COMPLETED`, which may be a
failure: its result says. fal keeps no reference of ours, and forgets a result after an hour; a list of ended requests,
on another host, remembers both what was sent and what came of it.
"""

from generations.providers.fal.adapter import Fal

__all__ = ["Fal"]
