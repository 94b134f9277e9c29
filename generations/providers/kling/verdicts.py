"""Kling's codes and sentences, and what each means for the customer and for the account.

    code on a create  ->  InputRefused | ProviderRefused | OutcomeUnknown   (`refusal`)
    text of a failure ->  Verdict                                          (`failure`)

The code decides, never the HTTP status: 429 is both "slow down" and "your account is empty".
A sentence that nobody knows is the provider's own failure: it may be tried once more elsewhere.
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

# The first line that matches decides.
TEXTS: tuple[tuple[re.Pattern[str], Cause], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), cause)
    for pattern, cause in (
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
)

INPUT_CODES = {1200: PARAMETERS, 1201: PARAMETERS, 1300: CONTENT, 1301: CONTENT}
UNKNOWN_CODES = frozenset({5000, 5002})
ACCOUNT_STATUSES = frozenset({401, 402, 403, 404, 405, 407})  # about our credential, balance or address
NOT_FOUND = 1203
NO_SUCH_METHOD = 1202

TROUBLE_CODES = {
    1000: Trouble("The credential was refused.", "account"),
    1001: Trouble("The credential was missing.", "account"),
    1002: Trouble("The credential was invalid.", "account"),
    1003: Trouble("The credential is not valid yet: our clock is ahead.", "account"),
    1004: Trouble("The credential has expired.", "account"),
    1100: Trouble("The account is in an abnormal state.", "account"),
    1101: Trouble("The account is in arrears.", "account"),
    1102: Trouble("The account's pack is used up or expired.", "account"),
    1103: Trouble("The account has no permission for this model.", "model"),
    1202: Trouble("The endpoint does not take this method.", "model"),
    1203: Trouble("The provider does not know this model.", "model"),
    1302: Trouble("Requests come too fast.", "soft", 1),
    1303: Trouble("All generation slots of the account are taken.", "soft", 5),
    1304: Trouble("Our address is not on the account's list.", "account"),
    5001: Trouble("The provider is under maintenance.", "account", 60),
}

# Fields of a create that we write ourselves: a refusal of one of them is never the customer's mistake.
OWN_REFERENCE = re.compile(r"external[_ ]?task[_ ]?id|external id", re.IGNORECASE)
# The message must blame that very field: "this mode needs another model" is about the customer's choice.
OWN_FIELDS = re.compile(
    r"^(model|model_name|callback_url|watermark_info)( value| field| parameter)?( is|:)? "
    r"?(an? )?(invalid|error|missing|required|unknown|not (exist|found)|does not exist)",
    re.IGNORECASE,
)
CUSTOMERS_RESOURCE = re.compile(r"element|voice", re.IGNORECASE)


def _cause_of(text: str, default: Cause) -> Cause:
    return next((cause for pattern, cause in TEXTS if pattern.search(text)), default)


def failure(text: str) -> Verdict:
    """The verdict on accepted work that Kling ended with this sentence."""
    return _cause_of(text, INTERNAL).verdict(text)


def refusal(status: int, code: int | None, message: str, retry_after_seconds: int | None) -> ProviderError:
    """What an answer that did not accept a create means; `code` is None when the body was not Kling's."""
    detail = f"HTTP {status}, code {code}: {message[:200]}"
    if code in INPUT_CODES:
        return _input_refusal(code, message, detail)
    if code in UNKNOWN_CODES:
        return OutcomeUnknown(detail)
    if code == NOT_FOUND and CUSTOMERS_RESOURCE.search(message):
        return InputRefused(GONE.verdict(message))
    if code in TROUBLE_CODES:
        trouble = TROUBLE_CODES[code]
        wait = retry_after_seconds if retry_after_seconds is not None else trouble.retry_after_seconds
        return ProviderRefused(trouble.reason, scope=trouble.scope, upstream_code=code, retry_after_seconds=wait)
    return _unlisted(status, code, message, detail, retry_after_seconds)


def _input_refusal(code: int, message: str, detail: str) -> ProviderError:
    """A refused parameter: the customer's, ours (a bug), or our reference sent twice (so look it up)."""
    if INPUT_CODES[code] is CONTENT:
        return InputRefused(CONTENT.verdict(message))
    if OWN_REFERENCE.search(message):
        return OutcomeUnknown(detail)
    if OWN_FIELDS.search(message):
        return ProviderRefused(
            "The provider refused a field that we write ourselves.", scope="model", upstream_code=code
        )
    return _by_input(message)


def _by_input(message: str) -> InputRefused:
    cause = _cause_of(message, PARAMETERS)
    return InputRefused((cause if cause.by_input else PARAMETERS).verdict(message))


def _unlisted(
    status: int, code: int | None, message: str, detail: str, retry_after_seconds: int | None
) -> ProviderError:
    """An answer without a code we know: a 3xx or 4xx is a refusal before any work, all else may have been accepted.

    408 is a proxy's time-out on a request that may have passed it. Of the others only those that speak of our account
    or address let it rest; a request that is refused for itself must not stop everybody else's.
    """
    if not 300 <= status < 500 or status == 408:
        return OutcomeUnknown(detail)
    if status >= 400 and status not in ACCOUNT_STATUSES and status != 429:
        return _by_input(message)
    scope: Scope = "soft" if status == 429 else "account"
    return ProviderRefused(
        f"The provider answered {detail}", scope=scope, upstream_code=code, retry_after_seconds=retry_after_seconds
    )
