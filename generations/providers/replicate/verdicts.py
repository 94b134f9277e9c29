"""Replicate's answers and sentences, and what each means for the customer and for the account.

    status of a create  ->  InputRefused | ProviderRefused | OutcomeUnknown   (`refusal`)
    failed prediction   ->  Verdict                                          (`failure`)

The sentences of failed predictions are Kling's, handed through, or Replicate's own, which are looked for first. One
that nobody knows is the provider's own failure: it may be tried once more elsewhere.
"""

import re

from generations.providers import causes
from generations.providers.base import InputRefused, OutcomeUnknown, ProviderError, ProviderRefused, Verdict
from generations.providers.causes import CONTENT, EXHAUSTED, INTERNAL, PARAMETERS, TIMED_OUT, Trouble

# The first line that matches decides. Its own troubles with other servers name files and addresses too.
TEXTS = (
    causes.compiled(
        (r"flagged|nsfw|\(E005\)", CONTENT),
        (
            r"too many requests|throttl|rate limit|high demand|\(E003\)|service .*unavailable|insufficient|quota",
            EXHAUSTED,
        ),
        (r"connection ?pool|(client|server) error.*\burl\b|traceback|interrupted|out of memory", INTERNAL),
        (r"\(E006\)|input (is|was) invalid", PARAMETERS),
    )
    + causes.TEXTS
)
ENDED_BY_WORD = {"canceled": INTERNAL, "aborted": TIMED_OUT}

TROUBLES = {
    401: Trouble("The credential was refused.", "account"),
    402: Trouble("The account has no credit left.", "account"),
    403: Trouble("The account may not do this.", "account"),
    404: Trouble("The provider does not know this model.", "model"),
    405: Trouble("The endpoint does not take this method.", "model"),
    407: Trouble("A proxy wants a credential.", "account"),
    429: Trouble("Requests come too fast.", "soft"),
}
RESETS = re.compile(r"resets in ~?(\d{1,5}) ?s", re.IGNORECASE)

# What we write ourselves, and a schema that is no longer ours: never the customer's mistake.
OWN_FIELDS = re.compile(
    r"^- (webhook\w*|version|model|stream)\b|additional property|invalid type|(invalid|specified) version",
    re.IGNORECASE | re.MULTILINE,
)


def failure(word: str, error: str) -> Verdict:
    """The verdict on accepted work that ended with this word and sentence."""
    if word in ENDED_BY_WORD:
        return ENDED_BY_WORD[word].verdict(error or word)
    return causes.of(error, INTERNAL, TEXTS).verdict(error)


def refusal(status: int, message: str, retry_after_seconds: int | None, *, own_words: bool) -> ProviderError:
    """What an answer that did not accept a create means. `message`: its `detail`, else its title or text.

    `own_words`: Replicate itself says so. A 401 or 403 without them may be a firewall's on the way: it only counts.

    A 3xx or 4xx is a refusal before any work, all else may have been accepted. 408 is a proxy's time-out on a request
    that may have passed it.
    """
    detail = f"HTTP {status}: {message[:200]}"
    if not 300 <= status < 500 or status == 408:
        return OutcomeUnknown(detail)
    if status in TROUBLES:
        trouble = TROUBLES[status]
        wait = _wait(message, retry_after_seconds) if trouble.scope == "soft" else retry_after_seconds
        return trouble.refusal(status, wait, certain=own_words)
    if status < 400:
        return ProviderRefused(f"The provider answered {detail}", scope="account", upstream_code=status)
    if OWN_FIELDS.search(message):
        return causes.own_field(status)
    return InputRefused(causes.of_input(message, TEXTS).verdict(message))


def _wait(message: str, retry_after_seconds: int | None) -> int | None:
    """The header's word, else that of `Your rate limit resets in ~30s.`"""
    if retry_after_seconds is not None:
        return retry_after_seconds
    resets = RESETS.search(message)
    return int(resets[1]) if resets else None
