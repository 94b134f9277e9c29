"""What refusals and failures mean, in the words that all adapters share.

A cause is one meaning for the customer, a trouble one way in which the provider is unwell. Whoever makes the video, the
sentence of a failure is mostly Kling's own, so its table serves all; an adapter puts lines of its own before it.
"""

import re
from dataclasses import dataclass

from generations.providers.base import InputRefused, OutcomeUnknown, ProviderError, ProviderRefused, Scope, Verdict


@dataclass(frozen=True)
class Cause:
    """One meaning: our task error code and our sentence."""

    code: str
    message: str
    by_input: bool
    retryable: bool

    def verdict(self, upstream_message: str) -> Verdict:
        return Verdict(
            code=self.code,
            message=self.message,
            by_input=self.by_input,
            retryable=self.retryable,
            upstream_message=upstream_message,
        )


@dataclass(frozen=True)
class Trouble:
    """One way the provider itself is unwell."""

    reason: str
    scope: Scope
    retry_after_seconds: int | None = None

    def refusal(
        self, code: int, retry_after_seconds: int | None, *, scope: Scope | None = None, certain: bool = True
    ) -> ProviderRefused:
        """What the provider says of the wait wins over the table. `certain`: these are its own words."""
        scope = scope or self.scope
        wait = retry_after_seconds if retry_after_seconds is not None else self.retry_after_seconds
        return ProviderRefused(
            self.reason,
            scope=scope,
            upstream_code=code,
            retry_after_seconds=wait,
            certain=certain and scope != "soft",
        )


CONTENT = Cause("content_policy_violation", "The request was refused by the content policy.", True, False)
DIMENSIONS = Cause("image_dimension_mismatch", "An image has a size or shape that the model cannot use.", True, False)
NO_FACE = Cause("face_not_found", "No clearly visible human face was found in the reference.", True, False)
UNREACHABLE = Cause("media_unreachable", "A reference image or video could not be downloaded.", True, True)
BAD_VIDEO = Cause("video_probe_failed", "The reference video could not be used.", True, False)
BAD_IMAGE = Cause("image_processing_error", "A reference image could not be used.", True, False)
GONE = Cause("resource_not_found", "An element or voice that the request names no longer exists.", True, False)
PARAMETERS = Cause("invalid_parameters", "A parameter of the request was refused.", True, False)
NO_CONTENT = Cause("generation_failed_no_content", "The generation ended without a result.", False, True)
TIMED_OUT = Cause("generation_timeout", "The generation took too long and was stopped.", False, True)
EXHAUSTED = Cause("resource_exhausted", "The service had no capacity left for this generation.", False, True)
INTERNAL = Cause("service_error", "The generation failed inside the service.", False, True)
ACCOUNT_STATUSES = frozenset({401, 402, 403, 404, 405, 407})  # about our credential, balance or address

Texts = tuple[tuple[re.Pattern[str], Cause], ...]


def compiled(*lines: tuple[str, Cause]) -> Texts:
    return tuple((re.compile(pattern, re.IGNORECASE), cause) for pattern, cause in lines)


# The first line that matches decides.
TEXTS = compiled(
    (r"risk control|content (policy|security|safety)|polic(y|ies)|sensitive|moderat|prohibited|violat", CONTENT),
    (r"(image|picture|video|url|media|file).*(download|fetch|access|unreachable)", UNREACHABLE),
    (r"(download|fetch|access|load|read).*(image|picture|video|url|media|file)", UNREACHABLE),
    (r"timed?[ -]?out", TIMED_OUT),
    (r"overload|busy|capacity|backlog|queue is full", EXHAUSTED),
    (r"no (content|output|result)|empty (content|output|result)", NO_CONTENT),
    (r"(internal|server|downstream|system) ?(service )?error", INTERNAL),
    (r"\bfaces?\b", NO_FACE),
    (r"(element|voice)\w*.*(not (found|exist)|does not exist|deleted|invalid)|invalid (element|voice)", GONE),
    (r"^(?=.*\bvideo).*(format|duration|length|fps|frame rate|codec|unsupported)", BAD_VIDEO),
    (r"pixel|dimension|aspect ratio|(image|picture).*(resolution|width|height|size|ratio)", DIMENSIONS),
    (r"(image|picture).*(format|invalid|decode|unsupported|broken|corrupt)|unsupported image", BAD_IMAGE),
    (r"parameter|param\b|invalid (value|field|input|prompt)", PARAMETERS),
)


def of(text: str, default: Cause, texts: Texts = TEXTS) -> Cause:
    """The meaning of a sentence; `default` for one that nobody knows."""
    return next((cause for pattern, cause in texts if pattern.search(text)), default)


def of_input(text: str, texts: Texts = TEXTS) -> Cause:
    """The same of a sentence that is certainly about the customer's input."""
    cause = of(text, PARAMETERS, texts)
    return cause if cause.by_input else PARAMETERS


def own_field(code: int | None) -> ProviderRefused:
    """A refusal of a field that we write ourselves is never the customer's mistake."""
    return ProviderRefused("The provider refused a field that we write ourselves.", scope="model", upstream_code=code)


def unlisted(
    status: int, code: int | None, message: str, retry_after_seconds: int | None, texts: Texts = TEXTS
) -> ProviderError:
    """An answer without a code we know: a 3xx or 4xx is a refusal before any work, all else may have been accepted.

    408 is a proxy's time-out on a request that may have passed it. Of the others only those that speak of our account
    or address let it rest; a request that is refused for itself must not stop everybody else's.
    """
    detail = f"HTTP {status}, code {code}: {message[:200]}"
    if not 300 <= status < 500 or status == 408:
        return OutcomeUnknown(detail)
    if status >= 400 and status not in ACCOUNT_STATUSES and status != 429:
        return InputRefused(of_input(message, texts).verdict(message))
    scope: Scope = "soft" if status == 429 else "account"
    return ProviderRefused(
        f"The provider answered {detail}", scope=scope, upstream_code=code, retry_after_seconds=retry_after_seconds
    )
