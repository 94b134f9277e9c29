"""fal's error types and sentences, and what each means for the customer and for the account.

    answer to a create    ->  InputRefused | ProviderRefused | OutcomeUnknown   (`refusal`)
    trouble of a result   ->  Verdict                                          (`failure`)

fal names a type (https://docs.fal.ai/errors): of the request in `error_type`, of the model in the first entry of
`detail`. Where it only passes on a sentence, it is Kling's own. The causes are those of all adapters, so that a
customer reads the same, whoever made the video.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from generations.providers import causes
from generations.providers.base import InputRefused, OutcomeUnknown, ProviderError, ProviderRefused, Scope, Verdict
from generations.providers.causes import (
    BAD_IMAGE,
    BAD_VIDEO,
    CONTENT,
    DIMENSIONS,
    EXHAUSTED,
    INTERNAL,
    NO_CONTENT,
    NO_FACE,
    PARAMETERS,
    TIMED_OUT,
    UNREACHABLE,
    Cause,
)
from generations.providers.wire import text


@dataclass(frozen=True, kw_only=True)
class Complaint:
    """What an answer says of its error. `field` is the one it blames; `retryable` is None when it does not say.

    `refuses_input`: a 4xx with a list of what is wrong. `by_fal`: in fal's own form, so no proxy wrote it.
    """

    type: str = ""
    message: str = ""
    field: str = ""
    retryable: bool | None = None
    refuses_input: bool = False
    by_fal: bool = False


# About our credential, balance or rights, or that there is no such endpoint: certain where fal itself says so.
CERTAIN_STATUSES = frozenset({401, 402, 403, 404})

# The address may be ours, and another provider may reach it.
NOT_FETCHED = replace(UNREACHABLE, by_input=False)
# fal takes shorter videos than our catalogue allows, and than others take.
TOO_LONG = replace(BAD_VIDEO, by_input=False)
NOTHING_MADE = replace(NO_CONTENT, by_input=True, retryable=False)
# By whoever holds the key, so mostly by us: its own code tells our wish from a failure of fal's.
WITHDRAWN = Cause("request_cancelled", "The generation was cancelled before it was finished.", False, True)

TYPES: dict[str, Cause] = {
    "content_policy_violation": CONTENT,
    "model_moderated": CONTENT,
    "no_media_generated": NOTHING_MADE,
    "image_too_small": DIMENSIONS,
    "image_too_large": DIMENSIONS,
    "image_load_error": BAD_IMAGE,
    "unsupported_image_format": BAD_IMAGE,
    "file_download_error": NOT_FETCHED,
    "face_detection_error": NO_FACE,
    "unsupported_video_format": BAD_VIDEO,
    "video_duration_too_short": BAD_VIDEO,
    "video_duration_too_long": TOO_LONG,
    "internal_server_error": INTERNAL,
    "downstream_service_unavailable": INTERNAL,
    "runner_connection_timeout": INTERNAL,
    "runner_connection_refused": INTERNAL,
    "runner_connection_error": INTERNAL,
    "runner_disconnected": INTERNAL,
    "runner_incomplete_response": INTERNAL,
    "runner_server_error": INTERNAL,
    "runner_scheduling_failure": EXHAUSTED,
    "generation_timeout": TIMED_OUT,
    "request_timeout": TIMED_OUT,
    "startup_timeout": TIMED_OUT,
    "client_cancelled": WITHDRAWN,
    "client_disconnected": INTERNAL,
} | dict.fromkeys(
    (
        "bad_request",
        "audio_duration_too_long",
        "audio_duration_too_short",
        "feature_not_supported",
        "file_too_large",
        "greater_than",
        "greater_than_equal",
        "less_than",
        "less_than_equal",
        "missing",
        "multiple_of",
        "one_of",
        "sequence_too_long",
        "sequence_too_short",
        "string_too_long",
        "string_too_short",
        "unsupported_audio_format",
        "value_error",
    ),
    PARAMETERS,
)
PROVIDERS_OWN = frozenset({INTERNAL.code, EXHAUSTED.code, TIMED_OUT.code, WITHDRAWN.code})
DOWNSTREAM = "downstream_service_error"
CANCELLED = "client_cancelled"

# Fields of a create that we write ourselves: a refusal of one of them is never the customer's mistake.
OWN_FIELDS = frozenset({"generate_audio", "keep_audio", "keep_original_sound", "shot_type", "character_orientation"})
OWN_FIELD = "The provider refused a field that we write ourselves."
ACCOUNT_REASONS = {
    401: "The credential was refused.",
    402: "The account's balance is used up.",
    403: "The account is locked, or may not do this.",
}
NOT_THERE, NOT_PROCESSABLE = 404, 422
UNDECIDED = frozenset({401, 402, 403, 405, 407, 408, 409, 429})
"""Statuses of a result that speak of us or of the moment, and not of the work."""


def complaint(status: int, found: Any, headers: Mapping[str, str] | None = None) -> Complaint:
    """What an answer's body (and its headers) says is wrong."""
    body, heads = found if isinstance(found, dict) else {}, headers or {}
    detail = body.get("detail")
    entries = [entry for entry in detail if isinstance(entry, dict)] if isinstance(detail, list) else []
    first = entries[0] if entries else {}
    place = first.get("loc")
    word = heads.get("x-fal-retryable", "").lower()
    return Complaint(
        type=text(first.get("type")) or text(body.get("error_type")) or text(heads.get("x-fal-error-type")),
        message=text(first.get("msg")) or text(detail) or text(body.get("error")),
        field=text(place[1]) if isinstance(place, list) and len(place) > 1 else "",
        retryable={"true": True, "false": False}.get(word),
        refuses_input=400 <= status < 500 and bool(entries),
        by_fal=bool(entries or text(detail)),
    )


def is_verdict(status: int, said: Complaint) -> bool:
    """Whether such a result is the model's own last word: it names its type, or is a 422 with a list.

    A sentence alone is none: a result that is asked for too early is a 400 with one, and proxies write them too.
    """
    if status == NOT_PROCESSABLE and said.refuses_input:
        return True
    return status >= 400 and status not in UNDECIDED and status != NOT_THERE and bool(said.type)


def failure(said: Complaint) -> Verdict:
    """The verdict on accepted work that ended with this trouble."""
    words = f"{said.type}: {said.message}".strip(": ")
    if said.field in OWN_FIELDS:
        return INTERNAL.verdict(words)
    if said.type == DOWNSTREAM:
        verdict = causes.of(said.message, INTERNAL).verdict(words)
        return verdict if said.retryable is None or verdict.by_input else replace(verdict, retryable=said.retryable)
    if said.type in TYPES:
        return TYPES[said.type].verdict(words)
    known = next((cause for name, cause in TYPES.items() if "_" in name and name in said.message), None)
    if known is not None:
        return known.verdict(words)
    if said.refuses_input:
        return PARAMETERS.verdict(words)
    return causes.of(said.message, INTERNAL).verdict(words)


def refusal(status: int, said: Complaint, retry_after_seconds: int | None) -> ProviderError:
    """What an answer that did not accept a create means.

    A 5xx may have queued the request before it failed; 408 is a proxy's time-out on one that may have passed it.
    """
    detail = f"HTTP {status} {said.type}: {said.message[:200]}"
    if not 300 <= status < 500 or status == 408:
        return OutcomeUnknown(detail)
    if status == 429:
        return _refused(status, detail, "soft", retry_after_seconds)
    if status == NOT_THERE:
        return _refused(status, f"The provider does not know this endpoint: {detail}", "model", by_fal=said.by_fal)
    if status in UNDECIDED or status < 400:
        reason = ACCOUNT_REASONS.get(status, "The request was not let in.")
        return _refused(status, f"{reason} {detail}", "account", by_fal=said.by_fal)
    if said.field in OWN_FIELDS:
        return _refused(status, OWN_FIELD, "model")
    return _by_content(status, said, detail, retry_after_seconds)


def _by_content(status: int, said: Complaint, detail: str, wait: int | None) -> ProviderError:
    """Another 4xx: its type says whether the input is to blame. What names no cause is about the request."""
    verdict = failure(said)
    if verdict.code in PROVIDERS_OWN:
        if said.type:
            return _refused(status, detail, "soft" if said.retryable else "model", wait)
        verdict = PARAMETERS.verdict(said.message)
    return InputRefused(replace(verdict, by_input=True))


def _refused(
    status: int, reason: str, scope: Scope, wait: int | None = None, *, by_fal: bool = False
) -> ProviderRefused:
    certain = by_fal and status in CERTAIN_STATUSES
    return ProviderRefused(reason, scope=scope, upstream_code=status, retry_after_seconds=wait, certain=certain)
