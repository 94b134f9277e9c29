"""Wallets with what an operator may do to credits, the lots they came in by, and the adjustments."""

from typing import ClassVar

from django import forms
from django.contrib import admin
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import display
from unfold.enums import ActionVariant
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminEmailInputWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from accounts import acting
from accounts.admin.actions import Done, Given, ReasonForm, reasoned
from accounts.admin.pages import ReadOnly, list_link
from accounts.errors import ApiError
from accounts.models import User
from billing import grants, ledger, opening, sign_up_credits
from billing.admin import limits
from billing.amounts import SMALLEST, ZERO
from billing.errors import GrantRefused, LedgerConflict
from billing.models import Adjustment, CreditLot, GrantRequest, SpendingGuard, Wallet

REFUSALS = (ApiError, LedgerConflict, GrantRefused)
BOOKS = {"transfer": "Transfers", "creditlot": "Lots", "reservation": "Reservations", "adjustment": "Adjustments"}
BY_OPERATORS = {"billing_grantrequest": "Grants by operators", "billing_voucherredemption": "Vouchers"}
LOT_TONES = {"promo": "info", "paid": "success", "goodwill": "warning"}


def credits_field(**options: object) -> forms.DecimalField:
    return forms.DecimalField(
        **{"max_digits": 16, "decimal_places": 4, "widget": UnfoldAdminDecimalFieldWidget, **options}
    )


def reference_field() -> forms.CharField:
    """What keeps a form that is sent twice from doing it twice."""
    help_text = "A ticket's or payment's, for instance. The same reference does it once, however often it is sent."
    return forms.CharField(max_length=100, widget=UnfoldAdminTextInputWidget, help_text=help_text)


class Grant(ReasonForm):
    amount = credits_field(min_value=SMALLEST, help_text="Credits.")
    kind = forms.ChoiceField(choices=CreditLot.Kind, initial=CreditLot.Kind.GOODWILL, widget=UnfoldAdminSelectWidget)
    expires_at = forms.DateTimeField(
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"}),
        help_text="UTC. Empty: never.",
    )
    reference = reference_field()

    def clean_expires_at(self) -> object:
        moment = self.cleaned_data["expires_at"]
        if moment is not None and moment <= timezone.now():
            raise forms.ValidationError("This lies in the past.")
        return moment


class Adjust(ReasonForm):
    amount = credits_field(help_text="Credits. Negative takes back what is available; what is missing becomes debt.")
    reference = reference_field()

    def clean_amount(self) -> object:
        if self.cleaned_data["amount"] == 0:
            raise forms.ValidationError("An adjustment of 0 changes nothing.")
        return self.cleaned_data["amount"]


class SignUp(ReasonForm):
    email = forms.EmailField(
        widget=UnfoldAdminEmailInputWidget,
        help_text="Of the member who signed up. Whoever grants them has made sure that the address is theirs.",
    )

    def clean_email(self) -> User:
        user = User.objects.filter(email__iexact=self.cleaned_data["email"]).first()
        if user is None:
            raise forms.ValidationError("Nobody has this address.")
        return user


class Opening(ReasonForm):
    name = forms.CharField(max_length=120, widget=UnfoldAdminTextInputWidget)
    owner_email = forms.EmailField(widget=UnfoldAdminEmailInputWidget)
    credits = credits_field(min_value=0, initial=0, help_text="Welcome credits.")


@admin.register(Wallet)
class WalletAdmin(limits.LimitsOfAWallet, ReadOnly):
    list_display = ("organization", "available_credits", "balance", "reserved", "debt", "standing", "seq")
    list_filter = (("frozen_at", admin.EmptyFieldListFilter), ("organization__sandbox_of", admin.EmptyFieldListFilter))
    list_select_related = ("organization",)
    search_fields = ("organization__name",)
    public_ids: ClassVar[dict[str, str]] = {"org_": "pk"}
    fields = (
        "organization",
        "available_credits",
        "balance",
        "reserved",
        "debt",
        "frozen_at",
        "frozen_reason",
        *limits.FIELDS,
        "lots",
        "books",
        "seq",
        "opened_at",
    )
    actions_list = ("open_organization",)
    actions_detail = ("grant", "adjust", "sign_up_credits", "freeze", "unfreeze", *limits.ACTIONS)

    def hidden_actions(self, row: Wallet) -> set[str]:
        hidden = {"freeze"} if row.frozen_at else {"unfreeze"}
        if row.organization.is_sandbox:
            hidden.add("sign_up_credits")
        if not SpendingGuard.objects.filter(pk=row.pk, on_since__isnull=False).exists():
            hidden.add("stop_guarding")
        return hidden

    @display(description="available")
    def available_credits(self, wallet: Wallet) -> str:
        return str(wallet.available)

    @display(description="standing", label={"open": "success", "frozen": "danger"})
    def standing(self, wallet: Wallet) -> str:
        return "frozen" if wallet.is_frozen else "open"

    @display(description="lots, in burn order")
    def lots(self, wallet: Wallet) -> SafeString:
        alive = wallet.lots.filter(remaining__gt=0).order_by("priority", "expires_at", "created_at")[:20]
        lines = [(lot.kind, lot.remaining, lot.granted, _until(lot)) for lot in alive]
        if not lines:
            return format_html("<span class='quiet'>{}</span>", "Nothing is left in any lot.")
        return format_html_join("", "<div>{}: {} of {} left, {}</div>", lines)

    def books(self, wallet: Wallet) -> SafeString:
        query = f"wallet__exact={wallet.pk}"
        links = [list_link(f"billing_{page}", query, name) for page, name in BOOKS.items()]
        query = f"organization__exact={wallet.pk}"
        links += [list_link(page, query, name) for page, name in BY_OPERATORS.items()]
        return format_html_join(" · ", "{}", ((one,) for one in links))

    @reasoned("Open organization", form=Opening, refusals=REFUSALS, icon="add", variant=ActionVariant.PRIMARY)
    def open_organization(self, given: Given) -> Done:
        organization = opening.open_organization(given["name"], given["owner_email"], ZERO)
        done = Done(f"{organization} is open; {given['owner_email']} owns it.", about=organization)
        if given["credits"]:
            asked = {"kind": CreditLot.Kind.PROMO, "reference": "welcome", "reason": given["reason"]}
            request = grants.grant(organization, given["credits"], by=acting.user(), **asked)
            done = Done(f"{done.message} {_told(request)}", about=organization)
        return done

    @reasoned("Grant credits", form=Grant, refusals=REFUSALS, icon="add_card", variant=ActionVariant.PRIMARY)
    def grant(self, wallet: Wallet, given: Given) -> Done:
        return _asked(grants.grant(wallet.organization, by=acting.user(), **given))

    @reasoned("Adjust", form=Adjust, refusals=REFUSALS, icon="balance")
    def adjust(self, wallet: Wallet, given: Given) -> Done:
        return _asked(grants.adjust(wallet.organization, by=acting.user(), **given))

    @reasoned(
        "Sign-up credits",
        form=SignUp,
        icon="person_check",
        text="Once for each mailbox and each organization, however an address is spelled.",
    )
    def sign_up_credits(self, wallet: Wallet, given: Given) -> Done:
        lot = sign_up_credits.grant_sign_up_credits(given["email"], wallet.organization)
        if lot is None:
            return Done("Nothing was granted: this mailbox or this organization has had them.")
        return Done(f"The sign-up credits are there: {lot.granted} credits, {_until(lot)}.")

    @reasoned(
        "Freeze",
        refusals=REFUSALS,
        icon="ac_unit",
        variant=ActionVariant.DANGER,
        text="Nothing more can be reserved; what is under way is captured or released as usual.",
    )
    def freeze(self, wallet: Wallet, given: Given) -> Done:
        ledger.freeze(wallet.organization, reason=given["reason"])
        return Done(f"The {wallet} is frozen.")

    @reasoned("Unfreeze", refusals=REFUSALS, icon="lock_open")
    def unfreeze(self, wallet: Wallet, given: Given) -> Done:
        ledger.unfreeze(wallet.organization, reason=given["reason"])
        return Done(f"The {wallet} is open again.")


@admin.register(CreditLot)
class CreditLotAdmin(ReadOnly):
    list_display = ("owner", "lot_kind", "granted", "remaining", "reserved", "expires_at", "reference", "created_at")
    list_filter = ("kind",)
    list_select_related = ("wallet__organization",)
    search_fields = ("reference__exact",)
    public_ids: ClassVar[dict[str, str]] = {"org_": "wallet"}

    def owner(self, lot: CreditLot) -> str:
        return lot.wallet.organization.name

    @display(description="kind", label=LOT_TONES)
    def lot_kind(self, lot: CreditLot) -> str:
        return lot.kind


@admin.register(Adjustment)
class AdjustmentAdmin(ReadOnly):
    list_display = ("owner", "amount", "moved", "debt_change", "reason", "reference", "created_at")
    list_select_related = ("wallet__organization",)
    search_fields = ("reference__exact",)
    public_ids: ClassVar[dict[str, str]] = {"org_": "wallet"}

    def owner(self, adjustment: Adjustment) -> str:
        return adjustment.wallet.organization.name


def _asked(request: GrantRequest) -> Done:
    pending = request.state == GrantRequest.State.PENDING
    return Done(_told(request), about=request if pending else None)


def _told(request: GrantRequest) -> str:
    credits = f"{request.amount.normalize():f} {request.kind}".strip() + " credits"
    if request.state == GrantRequest.State.PENDING:
        return f"{credits}: another operator must confirm it by {request.lapses_at:%Y-%m-%d %H:%M} UTC."
    if request.state != GrantRequest.State.DONE:
        return f"{credits}: this request is {request.state} already."
    return f"{credits} were {'granted' if request.verb == GrantRequest.Verb.GRANT else 'adjusted'}."


def _until(lot: CreditLot) -> str:
    return f"until {lot.expires_at:%Y-%m-%d %H:%M} UTC" if lot.expires_at else "without expiry"
