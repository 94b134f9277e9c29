"""The rows that operators act upon, each in the state in which an action makes sense, and what is said of them."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Model
from django.utils import timezone

from accounts import keys, organizations
from accounts.models import ApiKey, AuditEntry, Membership, Organization, User
from billing import drafts, grants, ledger, overrides, spending_guard, vouchers
from billing.models import (
    AutoRecharge,
    GrantRequest,
    PriceDraft,
    PriceOverride,
    PriceVersion,
    Reservation,
    TopUp,
    Voucher,
    VoucherBatch,
    Wallet,
)
from billing.top_ups import settling
from generations import alerts, breaker, switches, webhooks
from generations.models import (
    Alert,
    Attempt,
    Breaker,
    Delivery,
    Element,
    ElementCopy,
    KillSwitch,
    ProviderAccount,
    Reconciliation,
    ReconciliationItem,
    Task,
    WebhookSecret,
)
from tests.cast import Person

REASON = "Ticket 4711"
FAR = datetime(2099, 1, 1, tzinfo=UTC)
Row = Callable[[Task, Person, Person], Model]
BATCH: dict[str, Any] = {
    "name": "Fair",
    "kind": "promo",
    "credits": Decimal(50),
    "count": 2,
    "max_redemptions": 1,
    "starts_at": None,
    "expires_at": None,
    "credits_expire_days": 30,
    "reason": "A fair",
}


def wallet(task: Task, alice: Person, bob: Person) -> Wallet:
    return Wallet.objects.get(pk=alice.organization.pk)


def frozen(task: Task, alice: Person, bob: Person) -> Wallet:
    return ledger.freeze(alice.organization, reason="checking")


def key(task: Task, alice: Person, bob: Person) -> ApiKey:
    return bob.key


def disabled(task: Task, alice: Person, bob: Person) -> ApiKey:
    return keys.change(bob.key, by=alice.membership, enabled=False)


def organization(task: Task, alice: Person, bob: Person) -> Organization:
    return alice.organization


def suspended(task: Task, alice: Person, bob: Person) -> Organization:
    organizations.suspend(alice.organization, "checking")
    return alice.organization


def membership(task: Task, alice: Person, bob: Person) -> Membership:
    return bob.membership


def account(task: Task, alice: Person, bob: Person) -> ProviderAccount:
    return ProviderAccount.objects.get(name="simulator-live")


def changed(**values: Any) -> Row:
    def make(task: Task, alice: Person, bob: Person) -> ProviderAccount:
        ProviderAccount.objects.filter(name="simulator-live").update(**values)
        return ProviderAccount.objects.get(name="simulator-live")

    return make


def pending(task: Task, alice: Person, bob: Person) -> Task:
    return task


def captured(task: Task, alice: Person, bob: Person) -> Reservation:
    ledger.reserve(bob.organization, bob.key.pk, Decimal(10))
    return ledger.capture(bob.key.pk)


def delivered(task: Task, alice: Person, bob: Person) -> Delivery:
    webhooks.announce(task, "task.completed")
    Delivery.objects.update(state="failed", due_at=None, tries_left=0)
    return task.deliveries.get()


def undeletable(task: Task, alice: Person, bob: Person) -> ElementCopy:
    element = Element.objects.create(
        organization=alice.organization, task=task, name="Mia", kind="image_refer", deleted_at=timezone.now()
    )
    live = ProviderAccount.objects.get(name="simulator-live")
    return ElementCopy.objects.create(
        element=element, account=live, upstream_id="u-1", state="failed", delete_tries=8, last_problem="down"
    )


def alert(task: Task, alice: Person, bob: Person) -> Alert:
    alerts.tell("late-success", "somebody", "Look at it.")
    return Alert.objects.get()


def tripped(task: Task, alice: Person, bob: Person) -> Breaker:
    return breaker.trip(account(task, alice, bob), "*", "down", until=None)


def tripped_account(task: Task, alice: Person, bob: Person) -> ProviderAccount:
    return tripped(task, alice, bob).account


def switched_off(task: Task, alice: Person, bob: Person) -> KillSwitch:
    return switches.set_on(model=task.model, reason="trouble", message="Back soon.")


def asked(task: Task, alice: Person, bob: Person) -> GrantRequest:
    return grants.grant(
        alice.organization, Decimal(6000), kind="goodwill", reference="T-9", reason="Sorry", by=another_operator()
    )


def another_operator() -> User:
    return User.objects.create_user("ida@gateway.example", is_staff=True)


def large_batch(task: Task, alice: Person, bob: Person) -> VoucherBatch:
    return vouchers.make(by=another_operator(), **BATCH | {"credits": Decimal(6000)})[0]


def small_batch(task: Task, alice: Person, bob: Person) -> VoucherBatch:
    return vouchers.make(by=another_operator(), **BATCH)[0]


def voucher(task: Task, alice: Person, bob: Person) -> Voucher:
    return small_batch(task, alice, bob).vouchers.earliest("pk")


def guarded(task: Task, alice: Person, bob: Person) -> Wallet:
    spending_guard.switch_on(alice.organization)
    return wallet(task, alice, bob)


def paused_key(task: Task, alice: Person, bob: Person) -> ApiKey:
    keys.pause(alice.key, timezone.now())
    return alice.key


def compared(task: Task, alice: Person, bob: Person) -> Reconciliation:
    account = ProviderAccount.objects.get(name="simulator-live")
    return Reconciliation.objects.create(account=account, day=timezone.now().date(), finished_at=timezone.now())


def differing(task: Task, alice: Person, bob: Person) -> ReconciliationItem:
    run = compared(task, alice, bob)
    attempt = Attempt.objects.create(task=task, number=1, account=run.account, upstream_id="u-1", state="failed")
    return ReconciliationItem.objects.create(
        reconciliation=run, kind="amount", upstream_id="u-1", attempt=attempt, theirs=Decimal(2), ours=Decimal(0)
    )


def bought(task: Task, alice: Person, bob: Person) -> TopUp:
    return settling.begin(alice.organization, TopUp.Origin.CHECKOUT, 1000)


def paused(task: Task, alice: Person, bob: Person) -> AutoRecharge:
    return AutoRecharge.objects.create(
        organization=alice.organization, paused_at=timezone.now(), paused_reason="Your card was declined."
    )


def draft(task: Task, alice: Person, bob: Person) -> PriceDraft:
    return drafts.start("Dearer")


def dearer(task: Task, alice: Person, bob: Person) -> PriceDraft:
    made = draft(task, alice, bob)
    drafts.change_by_percent(made, task.model, 10)
    return made


def coming_version(task: Task, alice: Person, bob: Person) -> PriceVersion:
    return drafts.schedule(dearer(task, alice, bob), FAR)


def coming_price(task: Task, alice: Person, bob: Person) -> PriceOverride:
    return overrides.set_rate(alice.organization, task.model, Decimal(5), reason="asked for", effective_at=FAR)


def secret(task: Task, alice: Person, bob: Person) -> WebhookSecret:
    return webhooks.secret_of(alice.organization)


def acts() -> list[AuditEntry]:
    """What operators did."""
    return list(AuditEntry.objects.filter(actor_kind="operator").order_by("pk"))


def now(row: Model) -> Any:
    return type(row)._default_manager.filter(pk=row.pk).first()
