"""Our account at the simulated fal."""

from generations.models import ProviderAccount
from generations.providers.base import Account
from generations.providers.fal import Fal
from generations.sandbox.store import API_KEY
from tests.generations.simulator import RunningFace


def fal_credentials(face: RunningFace) -> dict[str, str]:
    """The simulator plays all three of fal's hosts."""
    return {"api_key": API_KEY, "platform_url": face.url, "jwks_url": f"{face.url}/.well-known/jwks.json"}


def fal_at(face: RunningFace) -> Account:
    """What the adapter calls it with, keys included."""
    credentials = fal_credentials(face)
    bare = Account(base_url=face.url, credentials=credentials)
    return Account(base_url=face.url, credentials=credentials, callback_keys=Fal().callback_keys(bare))


def fal_account(face: RunningFace) -> ProviderAccount:
    """It serves live keys, and costs nothing."""
    account = ProviderAccount(
        name="fal-live", alias="three", provider="fal", base_url=face.url, simulator=True, serves="live"
    )
    account.set_credentials(fal_credentials(face))
    account.save()
    return account
