"""Kling's codes and sentences, and what each means for the customer and for the account.

    code on a create  ->  InputRefused | ProviderRefused | OutcomeUnknown   (`refusal`)
    text of a failure ->  Verdict                                          (`failure`)

The code decides, never the HTTP status: 429 is both "slow down" and "your account is empty".
A sentence that nobody knows is the provider's own failure: it may be tried once more elsewhere.
"""

import re

from generations.providers import causes
from generations.providers.base import InputRefused, OutcomeUnknown, ProviderError, Verdict
from generations.providers.causes import CONTENT, GONE, INTERNAL, PARAMETERS, Trouble

INPUT_CODES = {1200: PARAMETERS, 1201: PARAMETERS, 1300: CONTENT, 1301: CONTENT}
UNKNOWN_CODES = frozenset({5000, 5002})
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


def failure(text: str) -> Verdict:
    """The verdict on accepted work that Kling ended with this sentence."""
    return causes.of(text, INTERNAL).verdict(text)


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
        return TROUBLE_CODES[code].refusal(code, retry_after_seconds)
    return causes.unlisted(status, code, message, retry_after_seconds)


def _input_refusal(code: int, message: str, detail: str) -> ProviderError:
    """A refused parameter: the customer's, ours (a bug), or our reference sent twice (so look it up)."""
    if INPUT_CODES[code] is CONTENT:
        return InputRefused(CONTENT.verdict(message))
    if OWN_REFERENCE.search(message):
        return OutcomeUnknown(detail)
    if OWN_FIELDS.search(message):
        return causes.own_field(code)
    return InputRefused(causes.of_input(message).verdict(message))
