"""What a customer deletes is deleted at the provider too: later, once, and when no task needs it any more."""

import json
import sqlite3
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ
from pytest_django import Settings

from accounts.models import User
from evolink_saas import ports
from generations import element_copies, elements, files, jobs, leases, provider_accounts
from generations.models import Alert, Element, ElementCopy, ProviderAccount, Task
from generations.providers import ADAPTERS
from generations.providers.base import Adapter
from generations.sandbox.store import API_KEY
from tests.cast import Person
from tests.generations.gateway import Steps, alerts, ask, findings
from tests.generations.kie import account_at
from tests.generations.simulator import RunningSimulator, wait_for
from tests.generations.test_elements import element_of, use

pytestmark = pytest.mark.django_db(transaction=True)


def is_upstream(simulator: RunningSimulator, copy: ElementCopy) -> bool:
    """Whether the provider's own books still have it."""
    with sqlite3.connect(simulator.folder / "simulator.sqlite3") as books:
        row = books.execute("SELECT is_deleted FROM elements WHERE id = ?", [int(copy.upstream_id)]).fetchone()
    return row is not None and not row[0]


def delete(alice: Person, element: Element) -> ElementCopy:
    assert alice.client.delete(f"/v1/elements/{element.pk}").status_code == 204
    return element.copies.get()


def settled(gateway: Steps, copy: ElementCopy) -> ElementCopy:
    """Run due jobs until the copy is due no more."""

    def there() -> ElementCopy | None:
        gateway.due()
        copy.refresh_from_db()
        return copy if copy.due_at is None else None

    found: ElementCopy = wait_for(there)
    return found


def test_a_deleted_element_is_deleted_at_the_provider(
    alice: Person, gateway: Steps, simulator: RunningSimulator
) -> None:
    element = element_of(alice, gateway)
    assert is_upstream(simulator, element.copies.get())

    copy = delete(alice, element)
    assert (copy.state, copy.deleted_at) == ("deleting", None)
    assert is_upstream(simulator, copy)  # a request never calls the provider
    gateway.due()

    copy.refresh_from_db()
    assert (copy.state, copy.due_at, copy.leased_until, copy.delete_tries) == ("deleted", None, None, 0)
    assert copy.deleted_at is not None
    assert not is_upstream(simulator, copy)
    assert alerts() == set()


def test_the_queue_is_rung_in_the_transaction_that_deletes(alice: Person, gateway: Steps) -> None:
    element = element_of(alice, gateway)
    before = OrmQ.objects.count()
    copy = delete(alice, element)
    (ring,) = [row.task for row in OrmQ.objects.order_by("pk")[before:]]
    assert (ring["func"], ring["args"]) == ("generations.jobs.delete_copy", (str(copy.pk),))


def test_a_task_that_uses_it_is_finished_first(alice: Person, gateway: Steps, simulator: RunningSimulator) -> None:
    element = element_of(alice, gateway)
    task = ask(alice, **use(alice, element))
    copy = delete(alice, element)
    jobs.delete_copy(str(copy.pk))

    copy.refresh_from_db()
    assert copy.state == "deleting" and copy.due_at > timezone.now() + timedelta(seconds=20)
    assert (copy.claims, copy.leased_until, copy.delete_tries) == (0, None, 0)
    assert is_upstream(simulator, copy)

    gateway.until(task, Task.Status.COMPLETED)
    ElementCopy.objects.update(due_at=timezone.now())
    assert settled(gateway, copy).state == "deleted"
    assert not is_upstream(simulator, copy)
    assert findings() == []


def sources_expire_at(element: Element) -> datetime | None:
    (found,) = set(element.sources.values_list("file__expires_at", flat=True))
    return found


def test_links_to_an_element_that_a_task_was_sent_inline_open_until_the_task_ends(
    alice: Person, gateway: Steps, simulator: RunningSimulator, client: Client
) -> None:
    element = element_of(alice, gateway)
    provider_accounts.disable(element.copies.get().account)
    account_at(simulator.face("kie"), "kie", API_KEY)
    task = ask(alice, **use(alice, element, prompt="<<<element_1>>> waves"))
    attempt = gateway.sent(task)
    (create,) = simulator.face("kie").see("requests")["requests"]
    (inline,) = json.loads(create["body"])["input"]["kling_elements"]
    link = urlsplit(inline["element_input_urls"][0]).path
    copy = delete(alice, element)
    jobs.delete_copy(str(copy.pk))
    files.expire_due()
    assert attempt.account.name == "kie"
    assert (client.get(link).status_code, sources_expire_at(element)) == (200, None)

    gateway.until(task, Task.Status.COMPLETED)
    assert sources_expire_at(element) is None
    ElementCopy.objects.update(due_at=timezone.now())
    assert settled(gateway, copy).state == "deleted"
    assert sources_expire_at(element) <= timezone.now()
    files.expire_due()
    assert [source.file.deleted_at is not None for source in element.sources.all()] == [True]
    assert client.get(link).status_code == 404
    assert findings() == []


def test_a_deletion_that_is_given_up_early_keeps_the_files_for_the_tasks_that_are_open(
    alice: Person, gateway: Steps, settings: Settings
) -> None:
    element = element_of(alice, gateway)
    ask(alice, **use(alice, element))
    copy = delete(alice, element)
    ElementCopy.objects.update(claims=settings.MAX_CLAIMS)
    before = timezone.now()
    jobs.delete_copy(str(copy.pk))
    copy.refresh_from_db()
    assert copy.state == "failed"
    assert timedelta(0) <= sources_expire_at(element) - before - element_copies.OPEN_AT_MOST < timedelta(minutes=1)


@pytest.mark.parametrize(("wait", "days"), [(60, 1), (0, 0)])
def test_files_of_an_element_without_any_copy_go_when_no_request_can_show_them(
    alice: Person, gateway: Steps, settings: Settings, wait: int, days: int
) -> None:
    settings.ELEMENT_DELETE_AFTER_SECONDS = wait
    element = element_of(alice, gateway)
    element.copies.all().delete()
    before = timezone.now()
    elements.delete(element)
    first = sources_expire_at(element)
    assert timedelta(0) <= first - before - timedelta(days=days) < timedelta(minutes=1)
    element_copies.let_sources_go(element)
    assert sources_expire_at(element) == first


def test_a_number_written_with_zeros_in_front_is_the_same_element(alice: Person, gateway: Steps) -> None:
    task = ask(alice)
    element = Element(pk=77, organization=alice.organization, task=task)
    for written, used in (("0077", True), ("077", True), ("78", False)):
        Task.objects.filter(pk=task.pk).update(inputs=task.inputs | {"element_ids": [written]})
        assert element_copies.is_used(element) is used


def test_a_request_that_is_still_under_way_is_waited_for(
    alice: Person, gateway: Steps, settings: Settings, simulator: RunningSimulator
) -> None:
    settings.ELEMENT_DELETE_AFTER_SECONDS = 60
    copy = delete(alice, element_of(alice, gateway))
    jobs.delete_copy(str(copy.pk))
    copy.refresh_from_db()
    assert copy.state == "deleting"
    assert copy.due_at == copy.element.deleted_at + timedelta(seconds=60)
    assert is_upstream(simulator, copy)


def test_what_the_provider_has_lost_already_is_done(alice: Person, gateway: Steps, simulator: RunningSimulator) -> None:
    element = element_of(alice, gateway)
    ElementCopy.objects.update(upstream_id="123456")
    copy = settled(gateway, delete(alice, element))
    assert (copy.state, copy.delete_tries, alerts()) == ("deleted", 0, set())


def test_a_provider_that_does_not_answer_is_asked_again_and_then_an_operator_is_told(
    alice: Person, gateway: Steps, simulator: RunningSimulator
) -> None:
    element = element_of(alice, gateway)
    ProviderAccount.objects.update(base_url=f"http://127.0.0.1:{ports.find_free()}")
    copy = delete(alice, element)
    jobs.delete_copy(str(copy.pk))
    copy.refresh_from_db()
    assert (copy.state, copy.delete_tries, copy.leased_until) == ("deleting", 1, None)
    assert copy.last_problem.startswith("ConnectError") and copy.due_at is not None
    assert alerts() == set()

    copy = settled(gateway, copy)
    assert (copy.state, copy.delete_tries, copy.deleted_at) == ("failed", 3, None)
    alert = Alert.objects.get()
    assert alert.kind == "element-not-deleted" and alert.message == copy.last_problem
    assert str(element.pk) in alert.subject

    ProviderAccount.objects.update(base_url=simulator.url)
    element_copies.delete_again(copy)
    assert settled(gateway, copy).state == "deleted"
    assert (copy.last_problem, is_upstream(simulator, copy)) == ("", False)


class KeepsElements:
    """The calls that every adapter has, and no more."""

    def __init__(self) -> None:
        for name in (name for name in vars(Adapter) if not name.startswith("_")):
            setattr(self, name, getattr(ADAPTERS["kling"], name))


def test_at_a_provider_that_cannot_delete_there_is_nothing_to_do(
    alice: Person, gateway: Steps, simulator: RunningSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ADAPTERS, "keeper", KeepsElements())
    element = element_of(alice, gateway)
    ProviderAccount.objects.update(provider="keeper")
    copy = settled(gateway, delete(alice, element))
    assert (copy.state, copy.deleted_at, copy.delete_tries, alerts()) == ("kept", None, 0, set())
    assert is_upstream(simulator, copy)


def test_rung_many_times_it_is_deleted_once(alice: Person, gateway: Steps, simulator: RunningSimulator) -> None:
    copy = delete(alice, element_of(alice, gateway))
    for _ in range(3):
        jobs.delete_copy(str(copy.pk))
    copy.refresh_from_db()
    assert (copy.state, copy.lease_token) == ("deleted", 1)


def test_a_lost_ring_is_rung_again_by_the_sweep(alice: Person, gateway: Steps) -> None:
    copy = delete(alice, element_of(alice, gateway))
    OrmQ.objects.all().delete()
    ElementCopy.objects.update(rung_until=None)
    jobs.sweep()
    assert [row.task["args"] for row in OrmQ.objects.all() if row.task["func"].endswith("delete_copy")] == [
        (str(copy.pk),)
    ]


def test_a_worker_that_lost_its_claim_writes_nothing(
    alice: Person, gateway: Steps, simulator: RunningSimulator
) -> None:
    copy = delete(alice, element_of(alice, gateway))
    ElementCopy.objects.update(due_at=timezone.now())
    stale = leases.claim(ElementCopy.objects.filter(pk=copy.pk), seconds=60)
    assert stale is not None
    ElementCopy.objects.update(lease_token=9)
    assert not leases.let_go(stale, due_at=None)
    element_copies.end(stale, ElementCopy.State.DELETED)
    copy.refresh_from_db()
    assert (copy.state, copy.deleted_at) == ("deleting", None)


def test_a_copy_that_kills_every_worker_is_set_aside(alice: Person, gateway: Steps, settings: Settings) -> None:
    copy = delete(alice, element_of(alice, gateway))
    ElementCopy.objects.update(claims=settings.MAX_CLAIMS)
    copy = settled(gateway, copy)
    assert (copy.state, alerts()) == ("failed", {"element-not-deleted"})


def test_deleting_an_element_twice_rings_once(alice: Person, gateway: Steps) -> None:
    element = element_of(alice, gateway)
    elements.delete(element)
    rings = OrmQ.objects.count()
    elements.delete(element)
    assert OrmQ.objects.count() == rings


def test_an_operator_sees_what_became_of_the_copies(alice: Person, gateway: Steps, client: Client) -> None:
    element = element_of(alice, gateway)
    client.force_login(User.objects.create_superuser("op@gateway.example", "correct horse battery staple"))
    page = f"/admin/generations/element/{element.pk}/change/"
    assert "Present" in client.get(page).content.decode()
    settled(gateway, delete(alice, element))
    assert "Deleted" in client.get(page).content.decode()
