"""Callbacks in the console: the secret, tests, deliveries with their tries, once more."""

import re
from pathlib import Path

import pytest
import trustme
from django.utils import timezone, translation

from accounts.models import Role
from evolink_saas.templatetags.pages import call_problem
from generations import safe_http, webhooks
from generations.models import Delivery, Task
from tests.cast import Person
from tests.console.visitors import Visitor, joined, visitor
from tests.generations.receivers import OK, deliver, ended, receiver, status

REASONS = re.compile(r'raise (?:Unreachable|TimedOut|AddressRefused)\("([^"]+)"\)')
CHANGES = ("callbacks/secret", "callbacks/secret/rotate", "callbacks/test")


@pytest.fixture
def delivered(alice: Person, authority: trustme.CA) -> Delivery:
    """Told on the second try; the first was answered with markup."""
    with receiver(authority, status(500, body=b"<script>alert(1)</script>"), OK) as server:
        delivery = ended(alice, server.url)
        deliver(delivery)
        return deliver(delivery)


def test_the_secret_is_shown_on_request_alone(developer: Visitor, alice: Person) -> None:
    secret = webhooks.secret_of(alice.organization).secret
    assert secret not in developer.get("callbacks").content.decode()
    assert developer.get("callbacks/secret").status_code == 405
    answer = developer.post("callbacks/secret")
    assert secret in answer.content.decode() and "no-store" in answer["Cache-Control"]


def test_a_new_secret_replaces_the_old_after_a_day(developer: Visitor, alice: Person) -> None:
    old = webhooks.secret_of(alice.organization).secret
    seen = developer.post("callbacks/secret/rotate").content.decode()
    row = webhooks.secret_of(alice.organization)
    assert row.secret != old and row.secret in seen and old not in seen
    assert f"{row.previous_expires_at:%Y-%m-%d %H:%M}" in seen and "signature of the secret before" in seen
    row.previous_expires_at = timezone.now()
    row.save(update_fields=["previous_expires_at"])
    assert "signature of the secret before" not in developer.post("callbacks/secret").content.decode()


def test_a_test_is_sent_and_its_page_says_how_it_went(developer: Visitor, alice: Person, authority: trustme.CA) -> None:
    with receiver(authority) as server:
        answer = developer.post("callbacks/test", url=server.url)
        delivery = Delivery.objects.get()
        assert answer.redirect_chain == [(developer.address(f"callbacks/{delivery.public_id}"), 302)]
        assert "It was not tried yet." in answer.content.decode() and 'data-refresh="2"' in answer.content.decode()
        deliver(delivery)
    assert (delivery.organization, delivery.event, len(server.messages)) == (alice.organization, "webhook.test", 1)
    seen = developer.get(f"callbacks/{delivery.public_id}").content.decode()
    assert "HTTP 200" in seen and ">delivered<" in seen and "data-refresh" not in seen


@pytest.mark.parametrize("url", ["http://customer.example/hook", "https://10.0.0.1/hook", "nonsense", ""])
def test_an_address_that_cannot_be_called_is_refused(developer: Visitor, url: str) -> None:
    answer = developer.post("callbacks/test", url=url)
    assert (answer.status_code, answer.context["form"].errors.keys()) == (400, {"url"})
    assert not Delivery.objects.exists()


def test_each_try_stands_there_with_its_answer_escaped(developer: Visitor, delivered: Delivery) -> None:
    seen = developer.get(f"callbacks/{delivered.public_id}").content.decode()
    assert seen.index("Try 2") < seen.index("Try 1")
    assert "HTTP 500" in seen and "&lt;script&gt;alert(1)&lt;/script&gt;" in seen and "<script>alert" not in seen


def test_why_there_was_no_answer_stands_there_in_the_readers_language(developer: Visitor, alice: Person) -> None:
    delivery = webhooks.send_test(alice.organization, "https://nobody.invalid/hook")
    webhooks.deliver(str(delivery.pk))
    assert "The host name does not exist." in developer.get(f"callbacks/{delivery.public_id}").content.decode()
    with translation.override("zh-hans"):
        said = {text: str(call_problem(text)) for text in REASONS.findall(Path(safe_http.__file__).read_text())}
    assert len(said) >= 6 and [text for text, word in said.items() if text == word] == []


def test_deliveries_are_filtered_by_state_and_task(developer: Visitor, alice: Person, delivered: Delivery) -> None:
    other = ended(alice, "https://customer.example/hook")
    assert delivered.task is not None and other.task is not None

    def listed(**query: str) -> list[Delivery]:
        answer = developer.get("callbacks", **query)
        assert answer.status_code == 200
        return [row["delivery"] for row in answer.context["rows"]]

    assert listed() == [other, delivered]
    assert listed(state="delivered") == [delivered]
    assert listed(state="failed") == []
    assert listed(task=other.task.public_id) == [other]
    assert listed(task=other.task.public_id, state="delivered") == []


@pytest.mark.parametrize("query", [{"task": "nonsense"}, {"state": "lost"}, {"cursor": "nonsense"}])
def test_a_filter_that_is_none_is_said(developer: Visitor, delivered: Delivery, query: dict[str, str]) -> None:
    answer = developer.get("callbacks", **query)
    assert (answer.context["rows"], "errorlist" in answer.content.decode()) == ([], True)


def test_a_delivery_goes_out_once_more(developer: Visitor, delivered: Delivery) -> None:
    assert "It is sent once more." in developer.post(f"callbacks/{delivered.public_id}/again").content.decode()
    delivered.refresh_from_db()
    assert (delivered.state, delivered.tries.count()) == (Delivery.State.DUE, 2)


def test_a_viewer_looks_and_changes_nothing(alice: Person, delivered: Delivery) -> None:
    viewer = joined(alice, Role.VIEWER)
    assert [viewer.get(path).status_code for path in ("callbacks", f"callbacks/{delivered.public_id}")] == [200, 200]
    changes = (*CHANGES, f"callbacks/{delivered.public_id}/again")
    assert {viewer.post(path).status_code for path in changes} == {403}
    delivered.refresh_from_db()
    assert (delivered.state, Delivery.objects.count()) == (Delivery.State.DELIVERED, 1)


def test_a_stranger_finds_nothing(stranger: Visitor, charlie: Person, delivered: Delivery) -> None:
    at_home = visitor(charlie.membership)
    path = f"callbacks/{delivered.public_id}"
    assert [who.get(path).status_code for who in (stranger, at_home)] == [404, 404]
    assert [who.post(f"{path}/again").status_code for who in (stranger, at_home)] == [404, 404]
    assert {stranger.post(change).status_code for change in CHANGES} == {404}
    task = Task.objects.get()
    assert "There is no such task." in at_home.get("callbacks", task=task.public_id).content.decode()
    delivered.refresh_from_db()
    assert delivered.state == Delivery.State.DELIVERED


def test_without_any_the_page_says_how_to_get_one(developer: Visitor) -> None:
    assert "Nothing was sent yet" in developer.get("callbacks").content.decode()
