"""kie.ai's codes, and what each means for the customer and for the account.

    code on a create        ->  InputRefused | ProviderRefused | OutcomeUnknown   (`refusal`)
    code and text of a fail ->  Verdict                                          (`failure`)

The code in the body decides: HTTP says 200 to nearly everything. The sentences are mostly Kling's, handed on, and
Kling's table reads them; those that are kie.ai's own stand before it.
"""

import re

from generations.providers import causes
from generations.providers.base import InputRefused, OutcomeUnknown, ProviderError, Scope, Verdict
from generations.providers.causes import BAD_IMAGE, BAD_VIDEO, CONTENT, INTERNAL, Trouble

# The first line that matches decides.
TEXTS = (
    causes.compiled(
        (r"copyright|nsfw", CONTENT),
        (r"no (valid )?(character|person|people).*video", BAD_VIDEO),
        (r"no (valid )?(character|person|people).*(image|picture)", BAD_IMAGE),
    )
    + causes.TEXTS
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
        return causes.of_input(message, TEXTS).verdict(said)
    if code in map(str, TROUBLE_CODES):
        return INTERNAL.verdict(said)
    return causes.of(message, INTERNAL, TEXTS).verdict(said)


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
        return trouble.refusal(code, retry_after_seconds, scope=scope)
    return causes.unlisted(status, code, message, retry_after_seconds, TEXTS)


def _input_refusal(code: int | None, message: str) -> ProviderError:
    if OWN_FIELDS.search(message):
        return causes.own_field(code)
    return InputRefused(causes.of_input(message, TEXTS).verdict(message))
