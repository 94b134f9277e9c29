"""Keep the voices in step with what the providers offer, and leave alone what operators decided.

    offered, not known                    added, enabled, at the end
    called otherwise than before          renamed, unless an operator had renamed it
    not offered any more                  disabled (`withdrawn_at`), never removed: elements refer to it
    offered again                         enabled again, if that was why it was disabled

Voices that an operator added are the operator's. Nothing is disabled after an answer that failed, was empty, or would
take every voice: then somebody is told instead.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.db import transaction
from django.utils import timezone

from generations import alerts
from generations.models import ProviderAccount, Voice
from generations.providers import ADAPTERS
from generations.providers.base import OfferedVoice, OffersVoices, ProviderError

ASK_SECONDS = 60
LONGEST_ID, LONGEST_NAME = 40, 60


@dataclass(kw_only=True)
class Outcome:
    """How many voices changed, and what stood in the way."""

    added: int = 0
    renamed: int = 0
    disabled: int = 0
    enabled: int = 0
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        counts = f"{self.added} added, {self.renamed} renamed, {self.disabled} disabled, {self.enabled} enabled again."
        return " ".join([counts, *self.problems])


def synchronize() -> Outcome:
    """Ask every provider that has voices, and write down what changed."""
    outcome, until = Outcome(), time.monotonic() + ASK_SECONDS
    for provider, accounts in _asked().items():
        before = len(outcome.problems)
        offered = _offered(accounts, until, outcome)
        if offered:
            _write(provider, offered, outcome, complete=len(outcome.problems) == before)
        if problems := outcome.problems[before:]:
            alerts.tell("voices-not-synchronized", provider, " ".join(problems))
    return outcome


def _asked() -> dict[str, list[ProviderAccount]]:
    """The accounts to ask, by provider. A simulator is asked only where there is no real account."""
    speaking = [name for name, api in ADAPTERS.items() if isinstance(api, OffersVoices)]
    found: dict[str, list[ProviderAccount]] = {}
    for account in ProviderAccount.objects.filter(enabled=True, provider__in=speaking).order_by("simulator", "pk"):
        others = found.setdefault(account.provider, [])
        if not account.simulator or not others or others[0].simulator:
            others.append(account)
    return found


def _offered(accounts: Iterable[ProviderAccount], until: float, outcome: Outcome) -> dict[str, OfferedVoice]:
    """What all accounts together offer, by id; an account without a good answer is a problem."""
    offered: dict[str, OfferedVoice] = {}
    for account in accounts:
        if time.monotonic() > until:
            outcome.problems.append(f"{account} was not asked: the others took too long.")
            continue
        api = ADAPTERS[account.provider]
        assert isinstance(api, OffersVoices)
        try:
            voices = api.voices(account.caller())
        except ProviderError as error:
            outcome.problems.append(f"{account} did not answer: {str(error)[:200]}")
            continue
        if not voices:
            outcome.problems.append(f"{account} told of no voice at all.")
        offered |= {voice.voice_id: voice for voice in voices if len(voice.voice_id) <= LONGEST_ID}
    return offered


@transaction.atomic
def _write(provider: str, offered: Mapping[str, OfferedVoice], outcome: Outcome, *, complete: bool) -> None:
    known = {voice.pk: voice for voice in Voice.objects.select_for_update(no_key=True)}
    _add(provider, [voice for voice_id, voice in offered.items() if voice_id not in known], known.values(), outcome)
    ours = [voice for voice in known.values() if voice.provider == provider]
    for voice in ours:
        if voice.pk in offered:
            _follow(voice, offered[voice.pk].name[:LONGEST_NAME], outcome)
    enabled = [voice for voice in ours if voice.enabled]
    gone = [voice for voice in enabled if voice.pk not in offered]
    if not complete or not gone:
        return
    if len(gone) == len(enabled):
        outcome.problems.append(f"{provider} lists none of the {len(gone)} voices we know; they were left as they are.")
        return
    rows = Voice.objects.filter(pk__in=[voice.pk for voice in gone])
    outcome.disabled += rows.update(enabled=False, withdrawn_at=timezone.now())


def _add(provider: str, new: Iterable[OfferedVoice], known: Iterable[Voice], outcome: Outcome) -> None:
    last = max((voice.position for voice in known), default=0)
    rows = [
        Voice(
            voice_id=voice.voice_id,
            name=voice.name[:LONGEST_NAME],
            upstream_name=voice.name[:LONGEST_NAME],
            provider=provider,
            position=last + place,
        )
        for place, voice in enumerate(new, start=1)
    ]
    Voice.objects.bulk_create(rows, ignore_conflicts=True)
    outcome.added += len(rows)


def _follow(voice: Voice, name: str, outcome: Outcome) -> None:
    """Take over a new name, and enable it again if it was disabled for being away."""
    changes: dict[str, object] = {}
    if name != voice.upstream_name:
        changes["upstream_name"] = name
        if voice.name == voice.upstream_name:
            changes["name"] = name
            outcome.renamed += 1
    if voice.withdrawn_at is not None:
        changes |= {"withdrawn_at": None, "enabled": True}
        outcome.enabled += not voice.enabled
    if changes:
        Voice.objects.filter(pk=voice.pk).update(**changes)
