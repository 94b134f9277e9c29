"""Low-balance notices: one for each fall below a threshold, to those who want it, wherever we look."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from smtplib import SMTPRecipientsRefused, SMTPServerDisconnected

import pytest
import time_machine
from django.core import mail
from django.core.mail import EmailMessage
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from accounts import members
from accounts.errors import InvalidRequest
from accounts.models import Membership, Organization, Role
from billing import ledger, notices, thresholds
from billing.models import BalanceThreshold, Notice, NoticeMail
from tests.billing.books import give, reserve

Clock = time_machine.Traveller


@pytest.fixture(autouse=True)
def a_clock(clock: Clock) -> Iterator[Clock]:
    yield clock


def watch(organization: Organization, *credits: int) -> None:
    thresholds.set_thresholds(organization, map(Decimal, credits))


def spend(organization: Organization, amount: int) -> None:
    ledger.capture(reserve(organization, amount).id)


def told() -> list[str]:
    """The subjects of all e-mails that were sent."""
    thresholds.look_all()
    notices.send_due()
    return [message.subject for message in mail.outbox]


def test_a_fall_below_a_threshold_is_one_email_to_owners_and_admins(acme: Organization) -> None:
    for email, role in (("ada@acme.example", Role.ADMIN), ("dev@acme.example", Role.DEVELOPER)):
        members.add(acme, email, role)
    give(acme, 1000)
    watch(acme, 200)
    spend(acme, 700)
    assert told() == []
    spend(acme, 200)
    assert told() == ["Acme: fewer than 200 credits left"] * 2
    assert sorted(message.to[0] for message in mail.outbox) == ["ada@acme.example", "alice@acme.example"]
    assert "Acme has 100 credits available" in mail.outbox[0].body
    assert acme.public_id in mail.outbox[0].body
    spend(acme, 50)
    assert len(told()) == 2


def test_each_of_several_thresholds_tells_once(acme: Organization) -> None:
    give(acme, 1000)
    watch(acme, 500, 100)
    spend(acme, 950)
    assert sorted(told()) == ["Acme: fewer than 100 credits left", "Acme: fewer than 500 credits left"]


def test_what_is_reserved_counts_as_gone(acme: Organization) -> None:
    give(acme, 1000)
    watch(acme, 200)
    reserve(acme, 900)
    assert len(told()) == 1


def test_after_a_top_up_the_next_fall_is_told_again(acme: Organization) -> None:
    give(acme, 300)
    watch(acme, 200)
    spend(acme, 200)
    assert len(told()) == 1
    give(acme, 500)
    spend(acme, 450)
    assert len(told()) == 2


def test_a_fall_and_a_top_up_between_two_looks_are_not_missed(acme: Organization) -> None:
    give(acme, 300)
    watch(acme, 200)
    spend(acme, 200)
    give(acme, 500)
    assert len(told()) == 1


def test_tasks_that_end_early_near_the_threshold_are_no_news(acme: Organization, clock: Clock) -> None:
    give(acme, 210)
    watch(acme, 200)
    for _ in range(3):
        ledger.release(reserve(acme, 20).id)
        clock.shift(timedelta(minutes=5))
    assert len(told()) == 1
    clock.shift(timedelta(hours=1))
    reserve(acme, 20)
    assert len(told()) == 2


def test_a_member_may_decline_and_another_ask(acme: Organization) -> None:
    members.set_notify(Membership.objects.get(organization=acme), False)
    dev = members.add(acme, "dev@acme.example", Role.DEVELOPER)
    members.set_notify(dev, True)
    give(acme, 100)
    watch(acme, 50)
    spend(acme, 60)
    told()
    assert [message.to for message in mail.outbox] == [["dev@acme.example"]]


def test_thresholds_replace_each_other_and_those_that_stay_remember(acme: Organization) -> None:
    give(acme, 100)
    watch(acme, 50, 20)
    spend(acme, 60)
    assert len(told()) == 1
    watch(acme, 50, 10)
    assert [row.credits for row in BalanceThreshold.objects.order_by("credits")] == [10, 50]
    assert len(told()) == 1


@pytest.mark.parametrize("credits", [[0], [-1], list(range(1, 12))])
def test_thresholds_that_make_no_sense_are_refused(acme: Organization, credits: list[int]) -> None:
    with pytest.raises(InvalidRequest):
        watch(acme, *credits)
    assert not BalanceThreshold.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_looks_and_sends_at_once_are_one_email(acme: Organization) -> None:
    give(acme, 100)
    watch(acme, 50)
    spend(acme, 60)

    def work(_: int) -> None:
        try:
            thresholds.look_all()
            notices.send_due()
        finally:
            connection.close()

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(work, range(12)))
    assert len(told()) == 1
    assert Notice.objects.count() == 1


class Unwell(EmailBackend):
    """A mail server that does what `behaviour` says, once."""

    behaviour: list[Exception]

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        if self.behaviour:
            raise self.behaviour.pop(0)
        return super().send_messages(email_messages)


@pytest.fixture
def unwell(settings: Settings, acme: Organization) -> list[Exception]:
    settings.EMAIL_BACKEND = f"{Unwell.__module__}.Unwell"
    Unwell.behaviour = []
    give(acme, 100)
    watch(acme, 50)
    spend(acme, 60)
    return Unwell.behaviour


def test_a_mail_server_that_is_away_is_tried_again_later(unwell: list[Exception], clock: Clock) -> None:
    unwell += [SMTPServerDisconnected("gone"), ConnectionRefusedError("no")]
    assert told() == []
    assert told() == []
    clock.shift(timedelta(minutes=1))
    assert told() == []
    clock.shift(timedelta(minutes=5))
    assert len(told()) == 1
    assert NoticeMail.objects.get().tries == 3


def test_an_address_that_is_refused_for_good_is_not_tried_again(unwell: list[Exception], clock: Clock) -> None:
    unwell.append(SMTPRecipientsRefused({"alice@acme.example": (550, b"No such user")}))
    told()
    clock.shift(timedelta(days=2))
    assert told() == []
    assert NoticeMail.objects.get().state == "failed"


def test_who_dies_after_the_claim_leaves_it_due_and_the_repetition_has_the_same_id(
    unwell: list[Exception], clock: Clock
) -> None:
    thresholds.look_all()
    claimed = notices.claim(timezone.now())
    assert claimed is not None
    first = notices.message_id(claimed)
    assert told() == []
    clock.shift(timedelta(minutes=6))
    assert len(told()) == 1
    assert mail.outbox[0].extra_headers["Message-ID"] == first
    assert notices.send(claimed) is False  # whoever was thought dead marks nothing
