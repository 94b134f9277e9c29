"""Operators stop a model, a provider account or an organization, and customers are told in plain words."""

from datetime import timedelta

import pytest
from django.db import IntegrityError
from django.utils import timezone

from accounts import organizations
from billing import ledger
from generations import jobs, switches
from generations.models import KillSwitch, ProviderAccount, Task
from generations.switches import Notice, SwitchRefused
from tests.cast import Person, client_for, give_key
from tests.generations.gateway import TEXT_TO_VIDEO, Steps, ask, at_once, money
from tests.generations.two_accounts import MODEL, Accounts, change, considered

pytestmark = pytest.mark.django_db(transaction=True)

POST = "/v1/videos/generations"
WORDS = {"reason": "bad results since noon", "message": "We are working on this model."}


def refusal(person: Person, **changes: object) -> tuple[int, str, str, str]:
    """How a new request is answered: status, code, message, Retry-After."""
    answer = person.client.post(POST, TEXT_TO_VIDEO | changes)
    error = answer.json().get("error", {})
    return answer.status_code, error.get("code", ""), error.get("message", ""), answer.headers.get("Retry-After", "")


def switched_off(alice: Person, of: str, accounts: Accounts) -> KillSwitch:
    targets = {"model": MODEL, "organization": alice.organization}
    return switches.set_on(**{of: targets[of]}, **WORDS)


@pytest.mark.parametrize("of", ["model", "organization"])
def test_a_new_request_is_refused_with_the_operators_words(alice: Person, accounts: Accounts, of: str) -> None:
    row = switched_off(alice, of, accounts)
    assert refusal(alice) == (503, "maintenance", WORDS["message"], "300")
    assert not Task.objects.exists()
    assert money(alice.organization) == (1000, 0)
    assert WORDS["reason"] not in alice.client.post(POST, TEXT_TO_VIDEO).content.decode()
    switches.lift(row, "solved")
    assert refusal(alice)[0] == 200


def test_others_go_on(alice: Person, charlie: Person, gateway: Steps) -> None:
    ledger.top_up(charlie.organization, 1000, reference="test")
    model = switches.set_on(model=MODEL, **WORDS)
    assert refusal(alice, model="kling-v3-turbo-text-to-video")[0] == 200
    switches.lift(model, "solved")
    switches.set_on(organization=alice.organization, **WORDS)
    assert (refusal(charlie)[0], refusal(alice)[0]) == (200, 503)


def test_a_sandbox_twin_is_an_organization_of_its_own(alice: Person, gateway: Steps) -> None:
    twin = organizations.sandbox_twin(alice.organization)
    ledger.open_wallet(twin)
    ledger.grant(twin, 1000, kind="promo", reference="test", reason="test")
    client = client_for(give_key(twin)[1])
    switches.set_on(organization=alice.organization, **WORDS)
    assert client.post(POST, TEXT_TO_VIDEO).status_code == 200
    switches.set_on(model=MODEL, **WORDS)
    assert client.post(POST, TEXT_TO_VIDEO).status_code == 503


@pytest.mark.parametrize("of", ["model", "organization"])
def test_what_is_under_way_goes_on_and_what_waits_waits(
    alice: Person, gateway: Steps, accounts: Accounts, of: str
) -> None:
    running, waiting = ask(alice, prompt="Runs"), ask(alice, prompt="Waits")
    Task.objects.filter(pk=waiting.pk).update(due_at=timezone.now() + timedelta(hours=1))
    gateway.sent(running)
    row = switched_off(alice, of, accounts)
    Task.objects.filter(pk=waiting.pk).update(due_at=timezone.now())
    gateway.until(running, Task.Status.COMPLETED)
    waiting.refresh_from_db()
    assert (waiting.status, waiting.attempts.count(), waiting.claims) == ("pending", 0, 0)
    assert considered(waiting) == dict.fromkeys(("cheap", "dear"), f"the {of} is switched off: {WORDS['reason']}")
    switches.lift(row, "solved")
    Task.objects.filter(pk=waiting.pk).update(due_at=timezone.now())
    gateway.until(waiting, Task.Status.COMPLETED)
    assert money(alice.organization) == (1000 - 2 * 27, 0)


def test_a_task_that_waits_for_a_switch_ends_at_its_deadline(alice: Person, gateway: Steps, accounts: Accounts) -> None:
    task = ask(alice)
    switches.set_on(model=MODEL, **WORDS)
    gateway.due()
    Task.objects.update(deadline_at=timezone.now())
    jobs.sweep()
    task.refresh_from_db()
    assert (task.status, task.error_code) == ("failed", "generation_timeout")
    assert money(alice.organization) == (1000, 0)


def test_an_account_that_is_switched_off_is_passed_over(alice: Person, gateway: Steps, accounts: Accounts) -> None:
    switches.set_on(account=accounts["cheap"], **WORDS)
    task = ask(alice)
    assert considered(task) == {"cheap": f"switched off: {WORDS['reason']}", "dear": "can take it"}
    gateway.until(task, Task.Status.COMPLETED)
    assert task.attempts.get().account == accounts["dear"]


def test_when_no_account_is_left_the_switch_speaks_for_the_model(
    alice: Person, gateway: Steps, accounts: Accounts
) -> None:
    waiting = ask(alice)
    change(accounts["dear"], enabled=False)
    assert refusal(alice)[0] == 200
    switches.set_on(account=accounts["cheap"], **WORDS)
    assert refusal(alice) == (503, "maintenance", WORDS["message"], "300")
    gateway.due()
    assert Task.objects.get(pk=waiting.pk).status == "pending"
    change(accounts["cheap"], enabled=False)
    assert refusal(alice)[1] == "model_unavailable"


@pytest.mark.parametrize(("minutes", "wait"), [(None, "300"), (10, "599"), (-5, "60"), (600, "3600")])
def test_the_expected_end_says_when_to_come_again_and_lifts_nothing(
    alice: Person, accounts: Accounts, minutes: int | None, wait: str
) -> None:
    end = None if minutes is None else timezone.now() + timedelta(minutes=minutes)
    switches.set_on(model=MODEL, expected_end_at=end, **WORDS)
    status, code, _, retry_after = refusal(alice)
    assert (status, code) == (503, "maintenance")
    assert int(wait) - 5 <= int(retry_after) <= int(wait)


def test_each_thing_is_switched_off_once_at_a_time_and_history_is_kept(alice: Person, accounts: Accounts) -> None:
    first = switches.set_on(model=MODEL, **WORDS)
    with pytest.raises(SwitchRefused, match="already"):
        switches.set_on(model=MODEL, **WORDS)
    assert switches.lift(first, "solved") and not switches.lift(first, "again")
    switches.set_on(model=MODEL, **WORDS)
    assert list(KillSwitch.objects.order_by("pk").values_list("lifted_reason", flat=True)) == ["solved", ""]


def test_of_two_operators_one_switches_off(alice: Person, accounts: Accounts) -> None:
    def turn() -> bool:
        try:
            return switches.set_on(account=accounts["cheap"], **WORDS) is not None
        except SwitchRefused:
            return False

    assert sorted(at_once([turn] * 4)) == [False, False, False, True]


@pytest.mark.parametrize("given", [{}, {"model": MODEL, "organization": "theirs"}])
def test_a_switch_is_of_one_thing(alice: Person, given: dict[str, object]) -> None:
    if "organization" in given:
        given = given | {"organization": alice.organization}
    with pytest.raises(SwitchRefused):
        switches.set_on(**given, **WORDS)
    with pytest.raises(IntegrityError):
        KillSwitch.objects.create(**given, **WORDS)


@pytest.mark.parametrize("name", ["Cheap", "dear", "DEAR!"])
def test_customers_never_read_a_providers_name(accounts: Accounts, name: str) -> None:
    with pytest.raises(SwitchRefused, match="must not name"):
        switches.set_on(model=MODEL, reason="r", message=f"We wait for {name} to come back.")
    assert switches.set_on(model=MODEL, reason=f"{name} is down", message="Kling v3 is back within the hour; cheaply.")


def test_notices_tell_of_models_that_are_off_and_of_those_without_an_account(accounts: Accounts) -> None:
    assert switches.notices() == {}
    end = timezone.now() + timedelta(hours=1)
    for name, moment in (("cheap", end), ("dear", None)):
        assert switches.notices() == {}
        switches.set_on(account=accounts[name], reason="r", message=f"Words {moment}", expected_end_at=moment)
    assert switches.notices() == {MODEL: Notice(f"Words {end}", end)}
    own = switches.set_on(model=MODEL, **WORDS)
    another = switches.set_on(model="kling-v3-motion-control", **WORDS)
    about = Notice(WORDS["message"], None)
    assert switches.notices() == {MODEL: about, "kling-v3-motion-control": about}
    for row in (own, another):
        switches.lift(row, "solved")
    ProviderAccount.objects.filter(name="cheap").update(enabled=False)
    assert switches.notices() == {MODEL: Notice("Words None", None)}
    ProviderAccount.objects.filter(name="dear").update(draining=True)
    assert switches.notices() == {}
