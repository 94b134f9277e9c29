"""What an organization lets itself spend, and of what its members are told: acted on from the wallet's page."""

from typing import ClassVar

from django import forms
from django.contrib import admin
from django.utils import timezone
from unfold.decorators import display
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminTextInputWidget

from accounts.admin.actions import Done, Given, ReasonForm, reasoned
from accounts.admin.pages import ReadOnly
from billing import budgets, caps, spending_guard, thresholds
from billing.amounts import SMALLEST
from billing.models import BalanceThreshold, KeyPause, Notice, NoticeMail, SpendingGuard, Wallet

ACTIONS = ("set_cap", "set_thresholds", "guard", "stop_guarding")
FIELDS = ("cap", "thresholds", "spending_guard")
TONES = {"due": "info", "sent": "success", "failed": "danger"}


class Cap(ReasonForm):
    credits = forms.DecimalField(
        required=False,
        min_value=0,
        max_digits=20,
        decimal_places=4,
        widget=UnfoldAdminDecimalFieldWidget,
        help_text="Credits a UTC month, what was spent since it began included. Empty: no cap.",
    )


class Thresholds(ReasonForm):
    credits = forms.CharField(
        required=False,
        max_length=200,
        widget=UnfoldAdminTextInputWidget,
        help_text="Amounts of credits with spaces between them, such as 1000 250. They replace those there are.",
    )

    def clean_credits(self) -> list[object]:
        field = forms.DecimalField(min_value=SMALLEST, max_digits=20, decimal_places=4)
        return [field.clean(word) for word in self.cleaned_data["credits"].split()]


class Guard(ReasonForm):
    factor = forms.DecimalField(
        initial=10,
        min_value=1,
        max_digits=8,
        decimal_places=2,
        widget=UnfoldAdminDecimalFieldWidget,
        help_text="A key is paused when it spends more in an hour than this many times its busiest hour of 14 days.",
    )
    minimum = forms.DecimalField(
        initial=100,
        min_value=SMALLEST,
        max_digits=20,
        decimal_places=4,
        widget=UnfoldAdminDecimalFieldWidget,
        help_text="Credits an hour that never pause a key.",
    )


class LimitsOfAWallet:
    """The wallet page's part of it."""

    @display(description="monthly cap")
    def cap(self, wallet: Wallet) -> str:
        if wallet.monthly_cap is None:
            return "none"
        now = timezone.now()
        spent = caps.spent(wallet, now)
        left = budgets.remaining(wallet.monthly_cap, spent)
        return f"{wallet.monthly_cap} credits; in {now:%B %Y} (UTC) {spent} are spent or reserved, {left} are left"

    @display(description="tells when below")
    def thresholds(self, wallet: Wallet) -> str:
        rows = BalanceThreshold.objects.filter(organization=wallet.pk).order_by("-credits")
        return ", ".join(f"{row.credits} credits" for row in rows) or "never"

    @display(description="spending guard")
    def spending_guard(self, wallet: Wallet) -> str:
        return str(SpendingGuard.objects.filter(pk=wallet.pk).first() or "off")

    @reasoned("Monthly cap", form=Cap, icon="data_usage")
    def set_cap(self, wallet: Wallet, given: Given) -> Done:
        cap = caps.set_cap(wallet.organization, given["credits"]).monthly_cap
        return Done("There is no cap any more." if cap is None else f"The cap is {cap} credits a UTC month.")

    @reasoned("Low balance", form=Thresholds, icon="notifications_active", text="Members are told by e-mail.")
    def set_thresholds(self, wallet: Wallet, given: Given) -> Done:
        rows = thresholds.set_thresholds(wallet.organization, given["credits"])
        return Done(f"Members are told {', '.join(map(str, rows))}." if rows else "Members are told no more.")

    @reasoned("Guard keys", form=Guard, icon="shield", text="Members are told by e-mail when a key is paused.")
    def guard(self, wallet: Wallet, given: Given) -> Done:
        row = spending_guard.switch_on(wallet.organization, factor=given["factor"], minimum=given["minimum"])
        return Done(f"Keys are guarded: {row}.")

    @reasoned("Stop guarding", icon="remove_moderator", text="Keys that are paused stay so until they are resumed.")
    def stop_guarding(self, wallet: Wallet, given: Given) -> Done:
        spending_guard.switch_off(wallet.organization)
        return Done("Keys are not guarded any more.")


@admin.register(BalanceThreshold)
class BalanceThresholdAdmin(ReadOnly):
    list_display = ("organization", "credits", "available", "noticed_at", "created_at")
    list_select_related = ("organization",)
    search_fields = ("organization__name",)
    public_ids: ClassVar[dict[str, str]] = {"org_": "organization"}


@admin.register(SpendingGuard)
class SpendingGuardAdmin(ReadOnly):
    list_display = ("organization", "factor", "minimum", "on_since")
    list_filter = (("on_since", admin.EmptyFieldListFilter),)
    list_select_related = ("organization",)
    search_fields = ("organization__name",)
    public_ids: ClassVar[dict[str, str]] = {"org_": "organization"}


@admin.register(KeyPause)
class KeyPauseAdmin(ReadOnly):
    list_display = ("api_key", "organization", "hour_at", "spent", "allowed", "paused_at", "resumed")
    list_select_related = ("api_key__organization",)
    search_fields = ("api_key__name", "api_key__organization__name")
    public_ids: ClassVar[dict[str, str]] = {"key_": "api_key", "org_": "api_key__organization"}

    def organization(self, pause: KeyPause) -> str:
        return pause.api_key.organization.name

    @display(description="resumed", boolean=True)
    def resumed(self, pause: KeyPause) -> bool:
        return pause.api_key.paused_at != pause.paused_at


@admin.register(Notice)
class NoticeAdmin(ReadOnly):
    list_display = ("organization", "kind", "reference", "created_at")
    list_filter = ("kind",)
    list_select_related = ("organization",)
    search_fields = ("organization__name", "reference__exact")
    public_ids: ClassVar[dict[str, str]] = {"org_": "organization"}


@admin.register(NoticeMail)
class NoticeMailAdmin(ReadOnly):
    list_display = ("email", "organization", "kind", "mail_state", "tries", "sent_at", "error")
    list_filter = ("state", "notice__kind")
    list_select_related = ("notice__organization",)
    search_fields = ("email",)
    public_ids: ClassVar[dict[str, str]] = {"org_": "notice__organization"}

    def organization(self, mail: NoticeMail) -> str:
        return mail.notice.organization.name

    def kind(self, mail: NoticeMail) -> str:
        return mail.notice.get_kind_display()

    @display(description="state", label=TONES)
    def mail_state(self, mail: NoticeMail) -> str:
        return mail.state
