"""The voices follow what the provider offers, and what an operator decided stays."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django_q.models import Schedule

from accounts.models import AuditEntry, User
from evolink_saas import ports
from generations import jobs, provider_accounts, voices
from generations.models import Alert, ProviderAccount, Voice
from generations.sandbox.kling.elements import VOICES
from tests.cast import Person
from tests.generations.simulator import RunningSimulator
from tests.generations.wire import peer

pytestmark = pytest.mark.django_db(transaction=True)

FIRST, *OTHERS = VOICES


@pytest.fixture
def provider(simulator: RunningSimulator) -> ProviderAccount:
    """The one account that is asked."""
    provider_accounts.ensure_simulator_accounts(simulator.url, simulator.account.credentials["api_key"])
    ProviderAccount.objects.exclude(name="simulator-live").update(enabled=False)
    return ProviderAccount.objects.get(name="simulator-live")


@pytest.fixture
def wire() -> Iterator[ExitStack]:
    """Closes whatever listens for the test."""
    with ExitStack() as stack:
        yield stack


def listing(*told: tuple[str, str]) -> bytes:
    """A whole HTTP answer that lists these voices."""
    found = [{"voice_id": voice_id, "voice_name": name, "owned_by": "kling"} for voice_id, name in told]
    rows = [{"task_id": "0", "task_status": "succeed", "task_result": {"voices": found}}] if told else []
    return answer(200, {"code": 0, "message": "SUCCEED", "data": rows})


def answer(status: int, content: dict[str, Any]) -> bytes:
    body = json.dumps(content).encode()
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def say(wire: ExitStack, said: bytes, name: str = "simulator-live") -> None:
    """From now on this account is answered so."""
    ProviderAccount.objects.filter(name=name).update(base_url=wire.enter_context(peer(said)).url)


def states() -> dict[str, tuple[str, bool]]:
    return {voice.pk: (voice.name, voice.enabled) for voice in Voice.objects.all()}


def test_what_is_in_step_stays_as_it_is(provider: ProviderAccount) -> None:
    before = list(Voice.objects.values())
    outcome = voices.synchronize()
    assert str(outcome) == "0 added, 0 renamed, 0 disabled, 0 enabled again."
    assert list(Voice.objects.values()) == before
    assert not Alert.objects.exists()


def test_a_new_voice_is_added_at_the_end_and_can_be_used(provider: ProviderAccount, alice: Person) -> None:
    Voice.objects.filter(pk=FIRST).delete()
    assert voices.synchronize().added == 1
    voice = Voice.objects.get(pk=FIRST)
    assert (voice.name, voice.upstream_name, voice.provider) == (VOICES[FIRST], VOICES[FIRST], "kling")
    assert (voice.enabled, voice.position) == (True, 6)
    listed = [one["voice_id"] for one in alice.client.get("/v1/voices").json()["data"]]
    assert listed == [*OTHERS, FIRST]


def test_a_name_follows_the_provider_unless_an_operator_changed_it(provider: ProviderAccount, wire: ExitStack) -> None:
    Voice.objects.filter(pk=OTHERS[0]).update(name="Ours")
    say(wire, listing((FIRST, "New"), (OTHERS[0], "Newer"), *((one, VOICES[one]) for one in OTHERS[1:])))
    assert voices.synchronize().renamed == 1
    assert [Voice.objects.get(pk=one).name for one in (FIRST, OTHERS[0])] == ["New", "Ours"]
    assert Voice.objects.get(pk=OTHERS[0]).upstream_name == "Newer"


def test_a_voice_that_is_offered_no_more_is_disabled_and_comes_back_with_the_offer(
    provider: ProviderAccount, simulator: RunningSimulator, wire: ExitStack
) -> None:
    say(wire, listing(*((one, VOICES[one]) for one in OTHERS)))
    assert voices.synchronize().disabled == 1
    gone = Voice.objects.get(pk=FIRST)
    assert (gone.enabled, gone.withdrawn_at is None) == (False, False)
    assert Voice.objects.filter(enabled=True).count() == 4
    assert voices.synchronize().disabled == 0

    ProviderAccount.objects.filter(pk=provider.pk).update(base_url=simulator.url)
    assert voices.synchronize().enabled == 1
    assert (Voice.objects.get(pk=FIRST).enabled, Voice.objects.get(pk=FIRST).withdrawn_at) == (True, None)


def test_what_an_operator_disabled_stays_disabled(provider: ProviderAccount) -> None:
    Voice.objects.filter(pk=FIRST).update(enabled=False)
    voices.synchronize()
    assert not Voice.objects.get(pk=FIRST).enabled


def test_what_an_operator_added_stays_whatever_is_offered(provider: ProviderAccount) -> None:
    Voice.objects.create(voice_id="by-hand", name="Ours")
    Voice.objects.filter(pk=FIRST).update(provider="", upstream_name="", name="Mine")
    assert voices.synchronize().disabled == 0
    assert states()["by-hand"] == ("Ours", True)
    assert states()[FIRST] == ("Mine", True)


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        (listing(), "told of no voice at all"),
        (answer(500, {"code": 5000, "message": "oops"}), "did not answer: HTTP 500, code 5000"),
        (answer(401, {"code": 1002, "message": "no"}), "did not answer: HTTP 401, code 1002"),
        (answer(200, {"code": 0, "data": "x"}), "did not answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n<html></h", "did not answer"),
        (listing(("1", "Someone"), ("2", "else")), "lists none of the 5 voices we know"),
    ],
)
def test_no_good_answer_disables_nothing_and_an_operator_is_told(
    provider: ProviderAccount, wire: ExitStack, said: bytes, problem: str
) -> None:
    before = states()
    say(wire, said)
    outcome = voices.synchronize()
    assert outcome.disabled == 0 and problem in str(outcome)
    assert before.items() <= states().items()
    alert = Alert.objects.get()
    assert (alert.kind, alert.subject) == ("voices-not-synchronized", "kling") and problem in alert.message


def test_one_account_that_does_not_answer_keeps_every_voice(provider: ProviderAccount, wire: ExitStack) -> None:
    """It might be the one that offers what the others do not."""
    say(wire, listing((FIRST, "New")))
    other = ProviderAccount(name="other", alias="o", provider="kling", serves="live", simulator=True)
    other.base_url = f"http://127.0.0.1:{ports.find_free()}"
    other.set_credentials({"api_key": "x"})
    other.save()
    outcome = voices.synchronize()
    assert (outcome.renamed, outcome.disabled) == (1, 0)
    assert "other did not answer: ConnectError" in str(outcome)


def test_the_simulator_is_not_asked_where_there_is_a_real_account(provider: ProviderAccount, wire: ExitStack) -> None:
    real = ProviderAccount(name="real", alias="r", provider="kling", serves="live")
    real.set_credentials({"api_key": "x"})
    real.save()
    say(wire, listing(*((one, VOICES[one]) for one in OTHERS)), name="real")
    assert voices.synchronize().disabled == 1


def test_it_runs_once_a_day(provider: ProviderAccount) -> None:
    jobs.ensure_schedules()
    schedule = Schedule.objects.get(name="voices")
    assert (schedule.func, schedule.schedule_type) == ("generations.jobs.synchronize_voices", Schedule.DAILY)
    Voice.objects.filter(pk=FIRST).delete()
    jobs.synchronize_voices()
    assert Voice.objects.filter(pk=FIRST).exists()


def test_an_operator_synchronizes_now_with_a_reason(provider: ProviderAccount, client: Client) -> None:
    operator = User.objects.create_superuser("op@gateway.example", "correct horse battery staple")
    client.force_login(operator)
    Voice.objects.filter(pk=FIRST).delete()
    list_page, url = reverse("admin:generations_voice_changelist"), reverse("admin:generations_voice_synchronize")
    assert url in client.get(list_page).content.decode()
    assert "reason" in client.get(url).context["form"].fields
    assert client.post(url, {"reason": " "}).status_code == 200
    assert not Voice.objects.filter(pk=FIRST).exists() and not AuditEntry.objects.exists()

    answered = client.post(url, {"reason": "A new voice was announced"}, follow=True)
    assert answered.redirect_chain == [(list_page, 302)]
    assert "1 added, 0 renamed, 0 disabled, 0 enabled again." in answered.content.decode()
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.reason) == ("voice.synchronize", "A new voice was announced")
    assert entry.actor == operator.email


def test_a_clerk_without_the_permission_cannot(client: Client) -> None:
    client.force_login(User.objects.create_user("carl@gateway.example", is_staff=True))
    assert client.post(reverse("admin:generations_voice_synchronize"), {"reason": "x"}).status_code == 403
