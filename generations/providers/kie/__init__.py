"""kie.ai, which resells Kling: one call makes every kind of clip, and the model stands in the body.

It answers HTTP 200 to everything; the `code` in the body decides. It keeps no reference of ours, has no list and no
cancel: what became of a create whose answer got lost, only its callback can say.
"""

from generations.providers.kie.adapter import Kie

__all__ = ["Kie"]
