"""kie.ai's codes, and what each means for the customer and for the account.

    code on a create        ->  InputRefused | ProviderRefused | OutcomeUnknown   (`refusal`)
    code and text of a fail ->  Verdict                                          (`failure`)

The code in the body decides: HTTP says 200 to nearly everything. The sentences are mostly Kling's, handed on, and
Kling's table reads them; those that are kie.ai's own stand before it.
"""

import re

from generations.providers.base import InputRefused, OutcomeUnknown, ProviderError, ProviderRefused, Scope, Verdict
from generations.providers.kling.verdicts import (
    ACCOUNT_STATUSES,
    BAD_IMAGE,
    BAD_VIDEO,
    CONTENT,
    INTERNAL,
    PARAMETERS,
    Cause,
    Trouble,
)
from generations.providers.kling.verdicts import TEXTS as KLINGS_TEXTS

# The first line that matches decides.
TEXTS: tuple[tuple[re.Pattern[str], Cause], ...] = (
    (re.compile(r"copyright|nsfw", re.IGNORECASE), CONTENT),
    (re.compile(r"no (valid )?(character|person|people).*video", re.IGNORECASE), BAD_VIDEO),
    (re.compile(r"no (valid )?(character|person|people).*(image|picture)", re.IGNORECASE), BAD_IMAGE),
    *KLINGS_TEXTS,
)
INPUT_CODES = frozenset({400, 422})
TROUBLE_CODES = {
    401: Trouble("The credential was refused.", "account"),
    402: Trouble("The account has no credits left.", "account"),
    404: Trouble("The provider does not know this model.", "model"),
    429: Trouble("Requests come too fast, or too many tasks run.", "soft", 5),
    455: Trouble("The provider is under maintenance.", "account", 60),
    505: Trouble("The provider has switched this model off.", "model"),
}

# Fields of a create that we write ourselves: the message must blame that very field.
OWN_FIELDS = re.compile(
    r"^(the )?(model|callbackurl)( name| value| field| parameter)?( you specified)?( is|:)? "
    r"?(an? )?(invalid|error|missing|required|unknown|empty|not (exist|found|supported)|does not exist)",
    re.IGNORECASE,
)
NOT_FOR_THIS_MODEL = re.compile(r"\bthis model\b", re.IGNORECASE)


def failure(code: str, message: str) -> Verdict:
    """The verdict on accepted work that kie.ai ended with this code and sentence.

    Codes of its own troubles are never the customer's fault, whatever is said; 400 and 422 always are.
    """
    said = f"{code}: {message}" if code else message
    if code in map(str, INPUT_CODES):
        return _by_input(message).verdict(said)
    if code in map(str, TROUBLE_CODES):
        return INTERNAL.verdict(said)
    return _cause_of(message, INTERNAL).verdict(said)


def refusal(status: int, code: int | None, message: str, retry_after_seconds: int | None) -> ProviderError:
    """What an answer that did not accept a create means; `code` is None when the body was not kie.ai's.

    Certain are the listed codes alone. A failed generation (501) may have begun, 500 says nothing.
    """
    detail = f"HTTP {status}, code {code}: {message[:200]}"
    if status >= 500:
        return OutcomeUnknown(detail)
    if code in INPUT_CODES:
        return _input_refusal(code, message)
    if code in TROUBLE_CODES:
        trouble = TROUBLE_CODES[code]
        scope: Scope = "model" if code == 401 and NOT_FOR_THIS_MODEL.search(message) else trouble.scope
        wait = retry_after_seconds if retry_after_seconds is not None else trouble.retry_after_seconds
        return ProviderRefused(
            trouble.reason, scope=scope, upstream_code=code, retry_after_seconds=wait, certain=scope != "soft"
        )
    return _unlisted(status, code, message, detail, retry_after_seconds)


def _input_refusal(code: int | None, message: str) -> ProviderError:
    if OWN_FIELDS.search(message):
        reason = "The provider refused a field that we write ourselves."
        return ProviderRefused(reason, scope="model", upstream_code=code)
    return InputRefused(_by_input(message).verdict(message))


def _unlisted(
    status: int, code: int | None, message: str, detail: str, retry_after_seconds: int | None
) -> ProviderError:
    """Without a code that we know, a 3xx or 4xx is a refusal before any work, and all else may have been accepted.

    408 is a proxy's time-out on a request that may have passed it.
    """
    if not 300 <= status < 500 or status == 408:
        return OutcomeUnknown(detail)
    if status >= 400 and status not in ACCOUNT_STATUSES and status != 429:
        return InputRefused(_by_input(message).verdict(message))
    scope: Scope = "soft" if status == 429 else "account"
    return ProviderRefused(
        f"The provider answered {detail}", scope=scope, upstream_code=code, retry_after_seconds=retry_after_seconds
    )


def _by_input(message: str) -> Cause:
    cause = _cause_of(message, PARAMETERS)
    return cause if cause.by_input else PARAMETERS


def _cause_of(message: str, default: Cause) -> Cause:
    return next((cause for pattern, cause in TEXTS if pattern.search(message)), default)
