"""The official Kling API, both of its generations.

The new generation (`/text-to-video/kling-3.0`, `GET /tasks`) makes plain videos: it answers a batch of ids in one call.
The legacy one (`/v1/videos/…`) takes what the new one has no field for: a negative prompt and the customer's own shots.
Elements exist only under `/v1/general/…`. An attempt stores its route, so each is looked up where it was sent.
"""

from generations.providers.kling.adapter import Kling

__all__ = ["Kling"]
