"""What a request asks for, checked as far as it can be before anything is written, and what that costs now.

A generation and a quote begin here alike, so that what is quoted is what would be accepted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from accounts import key_rights, keys, organizations, roles
from accounts.errors import InvalidRequest, Unavailable
from accounts.key_rights import Actor
from accounts.models import ApiKey, Organization
from accounts.roles import Act
from billing import pricing
from billing.errors import PriceMissing
from generations import catalog, elements, references, safe_http, settlement
from generations.catalog import envelope
from generations.catalog.base import Parsed, Spec
from generations.catalog.envelope import Envelope
from generations.models import StoredFile, Voice

PRICED_BY = ("model", "cell", "seconds", "measured", "rounding")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A valid request. `uploads` are the organization's own files among its media, by address.

    `duration` are the seconds that the body asks for, before they become the fewest that are made.
    """

    given: Envelope
    spec: Spec
    parsed: Parsed
    uploads: Mapping[str, StoredFile]
    duration: Decimal | None

    @property
    def seconds(self) -> Decimal | int | None:
        """What credits are reserved for; None for what costs a call."""
        return settlement.reserved_seconds(self.spec, self.parsed, self.uploads)

    @property
    def settled(self) -> dict[str, str]:
        """How the price follows a length that only the media knows; empty where it does not."""
        return settlement.frozen(self.spec)

    @property
    def may_cost_less(self) -> bool:
        """Whether the charge follows a length that is not known yet, so that what is reserved is the most."""
        return settlement.is_open(self.spec, self.parsed, self.uploads)

    @property
    def priced_by(self) -> dict[str, str | None]:
        """What of the request decides its price, as `PRICED_BY` names it in the price's inputs."""
        wanted, seconds = self.parsed.price, self.seconds
        billed = None if seconds is None else pricing.spelled(Decimal(seconds))
        return {"model": wanted.model, "cell": wanted.cell, "seconds": billed} | self.settled


def check(organization: Organization, by: Actor, body: Mapping[str, Any]) -> Asked:
    """Everything that may be asked of the body of a request. Raises ApiError. Reads, and writes nothing.

    It is asked by a key, or by a member who looks at the organization (or its sandbox) in a browser.
    """
    given = envelope.read(body)
    spec = catalog.choose(given.model)
    _check_may_make(organization, by, spec)
    parsed = spec.parse(body)
    _check_callback(given.callback_url)
    uploads = references.check_at_post(organization, parsed.media)
    elements.check(organization, parsed.elements)
    _check_voice(parsed)
    return Asked(given=given, spec=spec, parsed=parsed, uploads=uploads, duration=_duration(spec, body))


def read(body: Mapping[str, Any]) -> Asked:
    """What the body alone says: no row is looked at."""
    given = envelope.read(body)
    spec = catalog.choose(given.model)
    return Asked(given=given, spec=spec, parsed=spec.parse(body), uploads={}, duration=_duration(spec, body))


def price(organization: Organization, asked: Asked) -> pricing.Price:
    """What it costs the organization now, by one SQL statement. Raises Unavailable `model_unavailable`."""
    wanted = asked.parsed.price
    try:
        return pricing.quote(wanted.model, wanted.cell, asked.seconds, organization, settled=asked.settled)
    except PriceMissing as error:
        raise Unavailable("model_unavailable", f"{wanted.model} has no price at the moment.") from error


def _check_may_make(organization: Organization, by: Actor, spec: Spec) -> None:
    """A key may be paused or bound to other models, and was authenticated; a member needs the role."""
    if isinstance(by, ApiKey):
        key_rights.check_not_paused(by)
        keys.allow_model(by, spec.id)
    else:
        organizations.check_not_suspended(organization)
        roles.check(by, Act.GENERATE)


def _duration(spec: Spec, body: Mapping[str, Any]) -> Decimal | None:
    """Of a body that was parsed, so that it is a whole number where the model uses it."""
    return Decimal(body["duration"]) if "duration" in spec.root.fields and "duration" in body else None


def _check_callback(url: str | None) -> None:
    if url is None:
        return
    try:
        safe_http.check_spelling(url, https_only=True)
    except safe_http.AddressRefused as error:
        raise InvalidRequest("callback_url_not_allowed", str(error), param="callback_url") from error


def _check_voice(parsed: Parsed) -> None:
    voice = parsed.voice
    if voice and not Voice.objects.filter(pk=voice.voice_id, enabled=True).exists():
        raise InvalidRequest("invalid_parameter", "There is no such voice.", param=voice.param)
