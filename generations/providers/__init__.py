"""The adapters by provider name: the one list of upstreams we can speak to."""

from generations.providers.base import Adapter
from generations.providers.fal import Fal
from generations.providers.kie import Kie
from generations.providers.kling import Kling
from generations.providers.replicate import Replicate

ADAPTERS: dict[str, Adapter] = {"kling": Kling(), "fal": Fal(), "replicate": Replicate(), "kie": Kie()}


def adapter(name: str) -> Adapter:
    """The adapter of a provider; KeyError for a name that no row may carry."""
    return ADAPTERS[name]
