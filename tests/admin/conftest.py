"""Operators, and a gateway that has been through something: at least one row of every table."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone
from django_q.models import Schedule
from django_q.models import Task as QueueTask
from pytest_django import Settings

from accounts import ids
from accounts.models import Announcement, RateWindow, Role, User
from billing import (
    audit,
    drafts,
    grants,
    ledger,
    overrides,
    provider_costs,
    report_rollups,
    rollups,
    sign_up_credits,
    spending_guard,
    thresholds,
    voucher_tries,
    vouchers,
)
from billing.models import AutoRecharge, TopUp
from billing.spending_guard import Jump
from billing.top_ups import events, settling
from billing.top_ups.wire import Payment, State
from evolink_saas.console import inviting
from generations import (
    alerts,
    breaker,
    figures,
    files,
    leases,
    lifecycle,
    margin,
    provider_accounts,
    quotes,
    switches,
    webhooks,
)
from generations.media import VideoFacts
from generations.models import (
    Attempt,
    DownloadPlace,
    Element,
    ElementCopy,
    ElementSource,
    HealthMark,
    LoopLease,
    MarginGuard,
    ModelHour,
    ModelHourTime,
    OrphanSpend,
    OutcomeDay,
    OutcomeMark,
    OutcomeRollUp,
    ProviderAccount,
    Reconciliation,
    ReconciliationItem,
    StoredFile,
    Task,
    TaskMedia,
    UpstreamCharge,
    Voice,
    WorkerPulse,
)
from generations.providers.base import Accepted, Cost, Output, Plan, Progress
from tests.cast import Person
from tests.generations.gateway import TEXT_TO_VIDEO

PASSWORD = "correct horse battery staple"


@pytest.fixture
def operator(db: None) -> User:
    return User.objects.create_superuser("olga@gateway.example", PASSWORD)


@pytest.fixture
def desk(operator: User) -> Client:
    """An operator's browser, signed in."""
    client = Client()
    client.force_login(operator)
    return client


@pytest.fixture
def task(alice: Person, prices: None, settings: Settings) -> Task:
    """A text-to-video that alice has just asked for, with a callback."""
    settings.STORAGES = settings.STORAGES | {"default": {"BACKEND": "django.core.files.storage.InMemoryStorage"}}
    settings.SAFE_HTTP_EXTRA_NETWORKS = ["127.0.0.0/8"]
    provider_accounts.ensure_simulator_accounts("http://127.0.0.1:9", "not-called")
    ledger.top_up(alice.organization, Decimal(1000), reference="test")
    body = TEXT_TO_VIDEO | {"callback_url": "https://127.0.0.1:9443/done", "metadata": {"order": "A-17"}}
    answer = alice.client.post("/v1/videos/generations", body, headers={"Idempotency-Key": "order-a-17-first-try"})
    assert answer.status_code == 200, answer.json()
    return Task.objects.get()


@pytest.fixture
def finished(task: Task, tmp_path: Path) -> Task:
    """The task, made: each step as the workers take it, without a provider. Nobody answers its callback."""
    account = ProviderAccount.objects.get(name="simulator-live")
    choice = [{"account": account.name, "cost": "0", "reason": "can take it"}]
    plan = Plan(route="text2video")
    attempt = lifecycle.begin_attempt(task, account, plan=plan, choice=choice, cost_estimate=Decimal("0.42"))
    assert attempt is not None
    assert lifecycle.accepted(attempt, Accepted(upstream_id="u-77", route="text2video", state_word="submitted"))
    output = Output(url="https://cdn.example/1.mp4", upstream_id="v-1", duration_seconds=Decimal(5))
    cost = Cost(amount=Decimal(3), unit="unit", currency="")
    assert lifecycle.result_ready(
        attempt,
        Progress(
            upstream_id="u-77",
            state="succeeded",
            state_word="succeed",
            known_word=True,
            outputs=(output,),
            cost=cost,
        ),
    )
    attempt = leases.claim(Attempt.objects.filter(pk=attempt.pk), seconds=60)
    assert attempt is not None
    result = film_of(task, tmp_path / "film.mp4")
    assert lifecycle.complete(attempt, result=result)
    webhooks.deliver(str(task.deliveries.get().pk))
    return Task.objects.get(pk=task.pk)


def film_of(task: Task, path: Path) -> StoredFile:
    """Five seconds that nobody will look at, kept as the task's result."""
    path.write_bytes(b"not looked at")
    facts = VideoFacts(
        mime_type="video/mp4",
        format="mp4",
        size_bytes=13,
        width=1280,
        height=720,
        duration_seconds=Decimal("5.04"),
        fps=Decimal(24),
        has_audio=False,
    )
    return files.keep(
        task.organization, path, facts, purpose=StoredFile.Purpose.RESULT, file_name="film.mp4", task=task
    )


@pytest.fixture
def lived_in(finished: Task, alice: Person) -> Task:
    """The rest of the tables around the finished task."""
    attempt = finished.attempts.get()
    an_element(finished, attempt)
    lost = a_lost_attempt(finished, attempt)
    alerts.tell("unknown-status-word", "kling", "The provider said `paused`.")
    webhooks.secret_of(alice.organization)
    breaker.reset(breaker.trip(attempt.account, finished.model, "They announced it", until=None))
    switches.lift(switches.set_on(model="kling-v3-text-to-video", reason="R", message="Back soon."), "Done")
    MarginGuard.objects.create(max_loss_share=Decimal("0.15"), max_loss_a_day=Decimal(100))
    margin.lose(lost)
    margin.tell_used_up(timezone.now().date())
    overrides.set_rate(alice.organization.user_group, finished.model, Decimal("5.1"), reason="test")
    drafts.start("Dearer in spring")
    quotes.use(quotes.make(alice.organization, alice.key, TEXT_TO_VIDEO).quote, finished)
    ledger.adjust(alice.organization, Decimal(-5), reference="dispute-1", reason="A dispute")
    gifts(alice)
    a_purchase(alice)
    a_jump(alice)
    audit.audit_all()
    rollups.roll_all()
    provider_costs.roll_all()
    report_rollups.roll_all()
    an_hour(finished.model)
    an_outcome(finished, attempt)
    a_reconciliation(attempt)
    DownloadPlace.objects.create(organization=alice.organization, number=1, taken_until=timezone.now())
    RateWindow.objects.update_or_create(key_id=alice.key.pk, minute=1, defaults={"calls": 3})
    Group.objects.create(name="Support")
    somebody_signs_in(alice)
    Announcement.objects.create(text_en="Kling 4.0 is here", text_zh_hans="Kling 4.0 来了", link="/docs")
    background_work()
    return Task.objects.get(pk=finished.pk)


def somebody_signs_in(alice: Person) -> None:
    """Alice verified her address, has a second factor, and invited somebody."""
    user = alice.membership.user
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    TOTP.activate(user, "JBSWY3DPEHPK3PXP")
    inviting.invite(alice.membership, "dora@acme.example", Role.VIEWER, "en")


def a_jump(alice: Person) -> None:
    """A threshold, and a key that spent far more than ever: it is paused, and an e-mail about it waits."""
    thresholds.set_thresholds(alice.organization, [Decimal(1)])
    guard = spending_guard.switch_on(alice.organization)
    key, now = alice.key_with("read")[0], timezone.now()
    jump = Jump(key_id=key.pk, hour_at=now, spent=Decimal(500), busiest=Decimal(20), allowed=Decimal(200))
    spending_guard.pause(guard, jump, now)


def a_purchase(alice: Person) -> None:
    """A top-up that is paid and half refunded, and auto-recharge, paused."""
    top_up = settling.begin(alice.organization, TopUp.Origin.CHECKOUT, 1000, saves_payment_method=True)
    known = {"payment_intent_id": "pi_1", "customer_id": "cus_1", "payment_method_id": "pm_1"}
    settling.settle(top_up.pk, Payment(state=State.PAID, cents=1000, currency="usd", session_id="cs_1", **known))
    refund = {"id": "re_1", "amount": 500, "currency": "usd", "status": "succeeded", "payment_intent": "pi_1"}
    event = {"id": "evt_1", "type": "refund.created", "created": 1, "livemode": True}
    events.take(event | {"data": {"object": refund | {"object": "refund"}}})
    AutoRecharge.objects.filter(organization=alice.organization).update(paused_at=timezone.now(), paused_reason="No.")


def gifts(alice: Person) -> None:
    """What operators gave, a voucher, a guess, and the credits of a sign-up."""
    ida = User.objects.create_user("ida@gateway.example", is_staff=True)
    for reference, credits in (("T-1", 10), ("T-2", 6000)):
        grants.grant(alice.organization, Decimal(credits), kind="goodwill", reference=reference, reason="Sorry", by=ida)
    worth = {"kind": "promo", "credits": Decimal(50), "starts_at": None, "expires_at": None, "reason": "A fair"}
    _, [code] = vouchers.make(by=ida, name="Fair", count=1, max_redemptions=2, credits_expire_days=30, **worth)
    vouchers.redeem(alice.organization, code, api_key=alice.key)
    voucher_tries.take(alice.organization, None)
    sign_up_credits.grant_sign_up_credits(alice.membership.user, alice.organization)


def an_element(task: Task, attempt: Attempt) -> None:
    """Made of a reference image, with a copy at the attempt's account."""
    reference = StoredFile.objects.create(
        organization=task.organization,
        task=task,
        purpose=StoredFile.Purpose.REFERENCE,
        storage_name="reference.jpg",
        file_name="reference.jpg",
        mime_type="image/jpeg",
        format="jpeg",
        size_bytes=12_345,
        width=800,
        height=600,
    )
    where = {"role": "image_start", "param": "image_start", "url": "https://a.example/b.jpg"}
    TaskMedia.objects.create(task=task, state="ready", file=reference, **where)
    about = {"name": "Mia", "description": "A fox", "kind": "image_refer", "voice": Voice.objects.first()}
    element = Element.objects.create(organization=task.organization, task=task, **about)
    ElementSource.objects.create(element=element, role="frontal_image", file=reference)
    ElementCopy.objects.create(element=element, account=attempt.account, upstream_id="u-1")


def a_lost_attempt(task: Task, attempt: Attempt) -> Attempt:
    lost = Attempt.objects.create(
        task=task,
        account=attempt.account,
        number=2,
        state="lost",
        route="text2video",
        choice=attempt.choice,
        outcome="generation_timeout",
        finished_at=timezone.now(),
        unknown_since=timezone.now(),
    )
    OrphanSpend.objects.create(attempt=lost, reason="generation_timeout while submitting")
    return lost


def an_hour(model: str) -> None:
    """What is known of how well the model worked."""
    hour = {"model": model, "hour": figures.hour_of(timezone.now())}
    ModelHour.objects.create(**hour, completed=1, looked=7, closed=1)
    ModelHourTime.objects.create(**hour, kind="making", bucket=20, tasks=1)
    HealthMark.objects.create(counted_until=hour["hour"])


def a_reconciliation(attempt: Attempt) -> None:
    """A day that was compared: one charge differs."""
    run = Reconciliation.objects.create(account=attempt.account, day=timezone.now().date(), finished_at=timezone.now())
    UpstreamCharge.objects.create(reconciliation=run, upstream_id="x", amount=1, unit="unit", is_near=True)
    ReconciliationItem.objects.create(
        reconciliation=run, kind="amount", upstream_id="u-1", attempt=attempt, theirs=Decimal(2), ours=Decimal(1)
    )


def an_outcome(task: Task, attempt: Attempt) -> None:
    """What became of tasks like this one."""
    hour = figures.hour_of(timezone.now())
    about = {"organization": task.organization, "model": task.model, "user_group": task.user_group}
    OutcomeRollUp.objects.create(
        **about, span="hour", starts_at=hour, account=attempt.account, outcome="completed", tasks=1
    )
    OutcomeMark.objects.create(counted_until=hour)
    OutcomeDay.objects.create(
        starts_at=hour.replace(hour=0), model=task.model, user_group=task.user_group, outcome="completed", tasks=1
    )


def background_work() -> None:
    now = timezone.now()
    LoopLease.objects.update_or_create(shard=0)
    WorkerPulse.objects.update_or_create(worker="host-1", defaults={"claimed_at": now})
    Schedule.objects.create(name="housekeeping", func="generations.jobs.housekeeping")
    for succeeded in (True, False):
        QueueTask.objects.create(
            id=ids.new().hex,
            name=f"job {succeeded}",
            func="generations.jobs.submit",
            started=now,
            stopped=now + timedelta(seconds=1),
            success=succeeded,
        )
