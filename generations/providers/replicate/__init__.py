"""Replicate: Kling's models behind its predictions API.

One create a model (`/models/…/predictions`), one query a prediction, and a list of all of the account's predictions,
in which work is found again by what was sent. Callbacks are signed by Standard Webhooks.
"""

from generations.providers.replicate.adapter import Replicate

__all__ = ["Replicate"]
