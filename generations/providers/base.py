"""What every upstream adapter speaks: requests in, answers out, and three errors.

An adapter translates and nothing else. It has no tables, no retries, no settings and no clock.

    ProviderError
    ├── InputRefused      the customer's input was refused: fail and refund, no other provider is tried
    ├── ProviderRefused   certainly not accepted, and not the customer's fault: another provider may be tried
    └── OutcomeUnknown    perhaps accepted: hold everything and look it up
    CallbackRefused       a callback that is not the provider's, or says nothing: no outcome of any work
"""

import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any, Literal, Protocol, runtime_checkable

import httpx

QueryClient = httpx.AsyncClient
QUERY_SECONDS = 20

ElementKind = Literal["image_refer", "video_refer"]


@dataclass(frozen=True, kw_only=True)
class Account:
    """One of our accounts at a provider. Credentials never appear in its repr.

    `callback_keys` are what the provider signs its callbacks with, as `Adapter.callback_keys` fetched them.
    """

    base_url: str
    credentials: Mapping[str, str]
    callback_keys: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Account(base_url={self.base_url!r})"


@dataclass(frozen=True, kw_only=True)
class Shot:
    """One shot of the customer's own storyboard; `index` counts from 1."""

    index: int
    prompt: str
    duration_seconds: int


@dataclass(frozen=True, kw_only=True)
class ElementUse:
    """An element that a clip shows: by the account's own id, or by the files it was made of, to be sent inline.

    `upstream_id` is empty where the account does not know it; files that we do not keep are None. `voice_id` names the
    voice it was made with, empty without one; only an account that has the element has that voice.
    """

    upstream_id: str
    name: str
    description: str
    kind: ElementKind
    frontal_image: str | None = None
    refer_images: tuple[str, ...] = ()
    video: str | None = None
    voice_id: str = ""


@dataclass(frozen=True, kw_only=True)
class VideoRequest:
    """A clip to make. Images and the video are addresses that the provider can fetch.

    `duration_seconds` is None where the clip follows the video. `video_use`: changed (base), followed (feature), or
    its movement taken over (motion); it is known before the addresses are.
    """

    reference: str
    model: str
    prompt: str
    negative_prompt: str
    duration_seconds: int | None
    quality: str
    sound: bool
    aspect_ratio: str | None
    image_start: str | None
    image_end: str | None
    multi_shot: bool
    shot_type: str | None
    shots: tuple[Shot, ...]
    elements: tuple[ElementUse, ...]
    watermark: bool
    callback_url: str | None
    images: tuple[str, ...] = ()
    video: str | None = None
    video_use: Literal["base", "feature", "motion"] | None = None
    orientation: str | None = None
    keep_sound: bool = False


@dataclass(frozen=True, kw_only=True)
class ElementRequest:
    """A reusable subject to make, from images or from one video."""

    reference: str
    name: str
    description: str
    kind: ElementKind
    frontal_image: str | None
    refer_images: tuple[str, ...]
    video: str | None
    voice_id: str | None
    callback_url: str | None


Request = VideoRequest | ElementRequest
State = Literal["running", "succeeded", "failed"]
Scope = Literal["account", "model", "soft"]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How a request will be sent, known and stored before the call.

    `route` is the endpoint. `mark` is what a look-up recognises the work by where the provider keeps no reference of
    ours: the fields of our body that it gives back, JSON-able.
    """

    route: str
    mark: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Trace:
    """What a call whose outcome nobody knows left behind: enough to look the work up."""

    reference: str
    route: str
    sent_at: datetime
    mark: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Handle:
    """How an accepted piece of work is found again: its upstream id, and the route it was sent by."""

    upstream_id: str
    route: str


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """The provider took the work and named it; `queued` as in Progress."""

    upstream_id: str
    route: str
    state_word: str
    queued: bool = False


@dataclass(frozen=True, kw_only=True)
class Output:
    """One finished file at the provider. `duration_seconds` is what it says, None when it does not."""

    url: str
    upstream_id: str
    duration_seconds: Decimal | None
    watermarked_url: str = ""

    def link(self, *, watermark: bool) -> str:
        """Where to fetch it: with a watermark only when one was asked for."""
        return self.watermarked_url if watermark and self.watermarked_url else self.url


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What the provider booked: units of a pack, or cash in `currency` (empty for units)."""

    amount: Decimal
    unit: Literal["unit", "cash"]
    currency: str

    @property
    def name(self) -> str:
        """Of what the amount is, as it is stored: `unit`, or the currency."""
        return (self.currency if self.unit == "cash" else "unit")[:12]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Why work was refused or failed.

    `code` and `message` are ours and may reach the customer; `upstream_message` never does.
    `by_input`: another provider would refuse it too. `retryable`: the same request may succeed later.
    """

    code: str
    message: str
    by_input: bool
    retryable: bool
    upstream_message: str


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How one piece of work stands. A word nobody knows means running, with `known_word` False.

    `queued`: it waits in the provider's own queue, and nothing has begun.
    """

    upstream_id: str
    state: State
    state_word: str
    known_word: bool
    queued: bool = False
    outputs: tuple[Output, ...] = ()
    element_id: str | None = None
    verdict: Verdict | None = None
    cost: Cost | None = None


class Incomplete(list[Progress]):
    """Work that may be ours, beside more that nobody can compare: that none of this is ours proves nothing."""


class ProviderError(Exception):
    """The outside world's failure, never the customer's exception."""


class InputRefused(ProviderError):
    """The provider refused what the customer sent; it was certainly not accepted."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.upstream_message)
        self.verdict = verdict


class ProviderRefused(ProviderError):
    """Certainly not accepted, and the customer's input is not the reason.

    `scope` says what is unwell: the whole account, one model on it, or nothing for long ("soft": slow down).
    `certain`: it said so itself, in its own words (no balance, a bad credential), so that nothing else need be sent.
    """

    def __init__(
        self,
        reason: str,
        *,
        scope: Scope,
        upstream_code: int | None = None,
        retry_after_seconds: int | None = None,
        certain: bool = False,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.scope = scope
        self.certain = certain
        self.upstream_code = upstream_code
        self.retry_after_seconds = retry_after_seconds


class OutcomeUnknown(ProviderError):
    """Nobody can say from this answer whether the work was accepted, or how it stands."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


@cache
def tls() -> ssl.SSLContext:
    """Reading the certificate store takes longer than a call: once a process."""
    return httpx.create_ssl_context(trust_env=False)


def query_client() -> httpx.AsyncClient:
    """The client that `check_many` asks with; one for a loop of polls, so that its connections live on."""
    return httpx.AsyncClient(verify=tls(), timeout=QUERY_SECONDS, trust_env=False, follow_redirects=False)


class CallbackRefused(Exception):
    """A callback whose signature is wrong or too old, or that names no work."""


class Adapter(Protocol):
    """One upstream's wire format. `poll_every`: it is asked at every so-manieth poll interval only.

    `absence_is_certain`: when `find` returns without a match, there is certainly none; else that proves nothing.
    """

    poll_every: int
    absence_is_certain: bool

    def obstacle(self, request: Request) -> str:
        """Why this provider cannot make such a request; empty when it can. Pure; addresses may still be unknown."""

    def plan(self, request: Request) -> Plan:
        """How `submit` will send it. Pure. Only for requests without an obstacle."""

    def submit(self, account: Account, request: Request) -> Accepted:
        """Send once. Raises InputRefused, ProviderRefused or OutcomeUnknown."""

    async def check_many(
        self, client: httpx.AsyncClient, account: Account, handles: Sequence[Handle]
    ) -> dict[str, Progress]:
        """Progress by upstream id; an id without a credible answer within QUERY_SECONDS is absent.

        Raises OutcomeUnknown when none has one.
        """

    def find(self, account: Account, trace: Trace) -> list[Progress]:
        """The work that may be ours, likeliest first; empty only when the provider certainly has none.

        Where it keeps our reference that is one at most; else every piece of work that looks like what we sent, and
        the caller leaves out those of other attempts, and takes none left as an absence unless the list is Incomplete.
        Raises OutcomeUnknown when nobody can tell.
        """

    def cancel(self, account: Account, handle: Handle) -> bool:
        """True only when the provider really stopped the work and will not bill it."""

    def callback_keys(self, account: Account) -> dict[str, str]:
        """What callbacks of this account are verified with, asked of the provider; empty where it publishes nothing.

        Raises OutcomeUnknown when it does not answer.
        """

    def read_callback(self, account: Account, headers: Mapping[str, str], body: bytes, now: datetime) -> str:
        """The upstream id that a callback is about. `headers` have lower-case names.

        Raises CallbackRefused when a key is known and did not sign it, or when it names no work.
        """


@dataclass(frozen=True, kw_only=True)
class OfferedVoice:
    """A voice that elements of the provider may speak with."""

    voice_id: str
    name: str


@runtime_checkable
class OffersVoices(Protocol):
    """A further call of adapters whose provider has voices; the others go without it."""

    def voices(self, account: Account) -> tuple[OfferedVoice, ...]:
        """Every voice that the account may use. Raises OutcomeUnknown, also when only a part of them was told."""


@runtime_checkable
class DeletesElements(Protocol):
    """A further call of adapters whose provider keeps elements and can delete them."""

    def delete_element(self, account: Account, upstream_id: str) -> None:
        """When it returns the element is gone there, now or long since. Raises OutcomeUnknown: ask again later."""


@dataclass(frozen=True, kw_only=True)
class Charge:
    """A line of the provider's own books: what it took for one piece of work; less than 0 where it gave back."""

    upstream_id: str
    cost: Cost
    model: str


@dataclass(frozen=True, kw_only=True)
class ChargePage:
    """Some of these lines. `next_cursor` asks for the rest; empty: that was all."""

    charges: tuple[Charge, ...]
    next_cursor: str


@runtime_checkable
class TellsCharges(Protocol):
    """A further call of adapters whose provider shows what it charged, work by work."""

    def charges(self, account: Account, since: datetime, until: datetime, cursor: str) -> ChargePage:
        """What it booked in `since <= moment < until`, from a cursor on (empty: from the start).

        Raises OutcomeUnknown when it does not answer, or when a line of it cannot be read.
        """
