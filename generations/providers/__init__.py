"""The adapters by provider name: the one list of upstreams we can speak to."""

from generations.providers.base import Adapter
from generations.providers.kling import Kling
from generations.providers.replicate import Replicate

ADAPTERS: dict[str, Adapter] = {"kling": Kling(), "replicate": Replicate()}


def adapter(name: str) -> Adapter:
    """The adapter of a provider; KeyError for a name that no row may carry."""
    return ADAPTERS[name]
