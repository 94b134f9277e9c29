"""Every action asks for a reason, does nothing without one, does the same as the API with one, and is logged."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import keys
from accounts.models import Membership, Organization, Role, User
from billing.models import (
    SpendingGuard,
    Transfer,
    Wallet,
)
from generations.models import (
    Task,
)
from tests.admin.acted_upon import (
    FAR,
    REASON,
    Row,
    account,
    acts,
    alert,
    asked,
    bought,
    captured,
    changed,
    coming_price,
    coming_version,
    compared,
    dearer,
    delivered,
    differing,
    disabled,
    draft,
    frozen,
    guarded,
    key,
    large_batch,
    membership,
    now,
    organization,
    paused,
    paused_key,
    pending,
    secret,
    small_batch,
    suspended,
    switched_off,
    tripped,
    tripped_account,
    undeletable,
    voucher,
    wallet,
)
from tests.cast import Person

<<<<<<< HEAD
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


def second_factor(task: Task, alice: Person, bob: Person) -> Authenticator:
    """Bob's app, and his recovery codes beside it."""
    RecoveryCodes.activate(bob.membership.user)
    return TOTP.activate(bob.membership.user, "JBSWY3DPEHPK3PXP").instance


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


=======
>>>>>>> ops
ACTIONS: dict[str, tuple[Row, dict[str, Any], Callable[[Any], bool]]] = {
    "generations_task_cancel": (pending, {}, lambda task: task.status == "cancelled" and task.charged_credits == 0),
    "generations_delivery_redeliver": (delivered, {}, lambda one: one.state == "due" and one.due_at is not None),
    "generations_elementcopy_delete_again": (
        undeletable,
        {},
        lambda one: (one.state, one.delete_tries) == ("deleting", 0) and one.due_at is not None,
    ),
    "generations_alert_resolve": (alert, {}, lambda one: one.resolved_at is not None),
    "generations_webhooksecret_rotate": (secret, {}, lambda one: one.previous_encrypted is not None),
    "generations_provideraccount_enable": (changed(enabled=False), {}, lambda one: one.enabled),
    "generations_provideraccount_disable": (account, {}, lambda one: not one.enabled),
    "generations_provideraccount_drain": (account, {}, lambda one: one.draining),
    "generations_provideraccount_stop_draining": (changed(draining=True), {}, lambda one: not one.draining),
    "generations_provideraccount_trip": (
        account,
        {"model": "*", "until": "2099-01-01T00:00"},
        lambda one: one.breakers.filter(model="*", state="open", reason=REASON, probe_at__year=2099).exists(),
    ),
    "generations_provideraccount_reset_breakers": (
        tripped_account,
        {},
        lambda one: one.breakers.get().state == "closed",
    ),
    "generations_breaker_reset": (tripped, {}, lambda one: one.state == "closed"),
    "generations_killswitch_lift": (
        switched_off,
        {},
        lambda one: one.lifted_at is not None and one.lifted_reason == REASON,
    ),
    "billing_wallet_grant": (
        wallet,
        {"amount": "12.5", "kind": "goodwill", "reference": "T-1"},
        lambda one: one.lots.filter(kind="goodwill", granted=Decimal("12.5")).count() == 1,
    ),
    "billing_wallet_adjust": (
        wallet,
        {"amount": "-7", "reference": "D-1"},
        lambda one: one.adjustments.filter(moved=-7, reason=REASON).count() == 1,
    ),
    "billing_wallet_sign_up_credits": (
        wallet,
        {"email": "ALICE@acme.example"},
        lambda one: one.lots.filter(reference="sign-up", kind="promo").count() == 1,
    ),
    "billing_grantrequest_confirm": (asked, {}, lambda one: (one.state, one.decided_reason) == ("done", REASON)),
    "billing_grantrequest_decline": (asked, {}, lambda one: (one.state, one.decided_reason) == ("declined", REASON)),
    "billing_voucherbatch_confirm": (large_batch, {}, lambda one: one.confirmed_by is not None),
    "billing_voucherbatch_disable": (
        small_batch,
        {},
        lambda one: one.vouchers.filter(disabled_reason=REASON).count() == 2,
    ),
    "billing_voucher_disable": (voucher, {}, lambda one: one.disabled_reason == REASON),
    "billing_wallet_set_cap": (wallet, {"credits": "50"}, lambda one: one.monthly_cap == 50),
    "billing_wallet_set_thresholds": (
        wallet,
        {"credits": "1000 250"},
        lambda one: sorted(row.credits for row in one.organization.balance_thresholds.all()) == [250, 1000],
    ),
    "billing_wallet_guard": (
        wallet,
        {"factor": "5", "minimum": "10"},
        lambda one: SpendingGuard.objects.filter(pk=one.pk, factor=5, on_since__isnull=False).exists(),
    ),
    "billing_wallet_stop_guarding": (guarded, {}, lambda one: one.organization.spending_guard.on_since is None),
    "accounts_apikey_resume": (paused_key, {}, lambda one: one.paused_at is None),
    "accounts_membership_set_notify": (membership, {"notify": "no"}, lambda one: one.notify is False),
    "generations_reconciliation_run_again": (
        compared,
        {},
        lambda one: (one.finished_at, one.due_at is not None) == (None, True),
    ),
    "generations_reconciliationitem_book": (
        differing,
        {},
        lambda one: (one.resolution, one.note) == ("booked", REASON),
    ),
    "generations_reconciliationitem_resolve": (
        differing,
        {},
        lambda one: (one.resolution, one.note) == ("noted", REASON),
    ),
    "billing_topup_ask_stripe": (bought, {}, lambda one: (one.looks, one.due_at <= timezone.now()) == (0, True)),
    "billing_autorecharge_resume": (paused, {}, lambda one: (one.paused_at, one.paused_reason) == (None, "")),
    "billing_priceversion_withdraw": (coming_version, {}, lambda one: one.withdrawn_reason == REASON),
    "billing_priceoverride_withdraw": (coming_price, {}, lambda one: one.withdrawn_reason == REASON),
    "billing_pricedraft_change_by_percent": (
        draft,
        {"model": "kling-v3-text-to-video", "percent": "10"},
        lambda one: one.cells.filter(model="kling-v3-text-to-video", rate=Decimal("5.94")).count() == 6,
    ),
    "billing_pricedraft_schedule": (
        dearer,
        {"effective_at": "2099-01-01T00:00"},
        lambda one: one.version is not None and one.version.effective_at == FAR,
    ),
    "billing_pricedraft_discard": (draft, {}, lambda one: one.discarded_at is not None),
    "billing_wallet_freeze": (wallet, {}, lambda one: one.frozen_reason == REASON),
    "billing_wallet_unfreeze": (frozen, {}, lambda one: one.frozen_at is None),
    "billing_reservation_refund": (
        captured,
        {"amount": "4", "reference": "R-1"},
        lambda one: one.refunded == Decimal(4),
    ),
    "accounts_apikey_enable": (disabled, {}, lambda one: one.enabled),
    "accounts_apikey_disable": (key, {}, lambda one: not one.enabled),
    "accounts_apikey_revoke": (key, {}, lambda one: one.revoked_at is not None),
    "mfa_authenticator_remove": (second_factor, {}, lambda one: not Authenticator.objects.exists()),
    "accounts_organization_suspend": (organization, {}, lambda one: one.suspended_reason == REASON),
    "accounts_organization_resume": (suspended, {}, lambda one: one.suspended_at is None),
    "accounts_organization_add_member": (
        organization,
        {"email": "dora@acme.example", "role": "viewer"},
        lambda one: one.memberships.filter(user__email="dora@acme.example", role=Role.VIEWER).exists(),
    ),
    "accounts_organization_new_key": (
        organization,
        {"name": "Made by an operator", "scopes": ["read"]},
        lambda one: one.api_keys.filter(name="Made by an operator", scopes=["read"]).exists(),
    ),
    "accounts_membership_change_role": (membership, {"role": "admin"}, lambda one: one.role == Role.ADMIN),
    "accounts_membership_remove": (membership, {}, lambda one: one is None),
}


def test_every_action_stands_in_the_table() -> None:
    offered = {
        f"{page.opts.app_label}_{page.opts.model_name}_{name}"
        for page in admin.site._registry.values()
        for name in getattr(page, "actions_detail", ())
    }
    assert offered == set(ACTIONS)


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_an_action_needs_a_reason_works_and_is_logged(
    name: str, desk: Client, operator: User, task: Task, alice: Person, bob: Person
) -> None:
    make, given, holds = ACTIONS[name]
    row = make(task, alice, bob)
    url = reverse(f"admin:{name}", args=[row.pk])
    assert "reason" in desk.get(url).context["form"].fields
    for reason in ("", "   "):
        assert desk.post(url, given | {"reason": reason}).status_code == 200
    assert not holds(now(row))
    assert acts() == []
    answer = desk.post(url, given | {"reason": REASON})
    assert answer.status_code in (200, 302) and (answer.status_code == 302 or name.endswith("new_key"))
    assert holds(now(row))
    assert {(one.reason, one.actor, one.actor_id) for one in acts()} == {(REASON, operator.email, str(operator.pk))}


def test_granted_credits_carry_the_reason_and_come_once(desk: Client, alice: Person) -> None:
    url = reverse("admin:billing_wallet_grant", args=[alice.organization.pk])
    given = {"amount": "12.5", "kind": "goodwill", "reference": "T-1", "reason": REASON}
    for _ in range(2):
        assert desk.post(url, given).status_code == 302
    row = Transfer.objects.get()
    assert (row.kind, row.amount, row.reason) == ("grant", Decimal("12.5"), REASON)
    refused = desk.post(url, given | {"amount": "99"})
    assert refused.status_code == 200 and "other arguments" in refused.content.decode()
    assert Wallet.objects.get().balance == Decimal("12.5")


def test_what_the_domain_refuses_is_said_and_not_logged(desk: Client, alice: Person) -> None:
    url = reverse("admin:accounts_membership_remove", args=[alice.membership.pk])
    answer = desk.post(url, {"reason": REASON})
    assert answer.status_code == 200 and "must keep an owner" in answer.content.decode()
    assert Membership.objects.filter(pk=alice.membership.pk).exists() and acts() == []


def test_a_new_key_is_shown_once_and_works(desk: Client, alice: Person) -> None:
    url = reverse("admin:accounts_organization_new_key", args=[alice.organization.pk])
    answer = desk.post(url, {"name": "Rescue", "scopes": ["read", "generate"], "daily_limit": "50", "reason": REASON})
    shown = keys.find(answer.context["secret"])
    assert shown is not None and shown.name == "Rescue" and shown.budget.daily_limit == Decimal(50)
    assert "no-store" in answer["Cache-Control"]
    for page in (f"/admin/accounts/apikey/{shown.pk}/change/", "/admin/accounts/apikey/", "/admin/"):
        assert answer.context["secret"] not in desk.get(page).content.decode()


def test_an_organization_is_opened_with_its_wallet(desk: Client) -> None:
    url = reverse("admin:billing_wallet_open_organization")
    given = {"name": "Quartz", "owner_email": "quinn@quartz.example", "credits": "30", "reason": REASON}
    assert desk.post(url, given | {"reason": ""}).status_code == 200 and not Organization.objects.exists()
    assert desk.post(url, given).status_code == 302
    made = Organization.objects.get(name="Quartz")
    assert made.wallet.balance == Decimal(30)
    assert Membership.objects.get(organization=made).role == Role.OWNER
    assert {one.organization_id for one in acts()} == {made.pk}


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_nobody_but_an_operator_may_act(name: str, client: Client, task: Task, alice: Person, bob: Person) -> None:
    make, given, holds = ACTIONS[name]
    row = make(task, alice, bob)
    client.force_login(alice.membership.user)
    answer = client.post(reverse(f"admin:{name}", args=[row.pk]), given | {"reason": REASON})
    assert answer.status_code == 302 and answer["Location"].startswith("/admin/login/")
    assert not holds(now(row)) and acts() == []


def test_whoever_leaves_is_followed_by_the_page_of_the_organization(desk: Client, alice: Person, bob: Person) -> None:
    answer = desk.post(reverse("admin:accounts_membership_remove", args=[bob.membership.pk]), {"reason": REASON})
    assert answer["Location"] == reverse("admin:accounts_organization_change", args=[alice.organization.pk])


def test_a_member_is_not_made_an_operator(desk: Client, bob: Person) -> None:
    person = bob.membership.user
    url = reverse("admin:accounts_user_change", args=[person.pk])
    given = {"email": person.email, "name": "Bob", "is_active": "on", "is_staff": "on", "reason": REASON}
    answer = desk.post(url, given)
    assert answer.status_code == 200 and "cannot be an operator" in answer.content.decode()
    assert not User.objects.get(pk=person.pk).is_staff
