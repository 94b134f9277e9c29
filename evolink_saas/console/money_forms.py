"""The forms of pages about money and notices: what people type, read into what the domain functions take."""

from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from accounts.errors import InvalidRequest
from billing import thresholds
from billing.amounts import SMALLEST
from billing.models import AutoRecharge, SpendingGuard
from billing.top_ups import packs
from billing.top_ups.serializers import MOST_CREDITS
from evolink_saas.console import wording
from evolink_saas.console.forms import CreditsField
from generations import usage
from generations.serializers.webhooks import MAX_ADDRESS

OWN, USUAL_PACK = "own", "50"
GROUPINGS = (
    ("day", _("Day")),
    ("model", _("Model")),
    ("key", _("API key")),
    ("day,model", _("Day and model")),
    ("day,key", _("Day and API key")),
    ("model,key", _("Model and API key")),
    ("metadata", _("A metadata field")),
)
DAY = {"type": "date"}


class UsageForm(forms.Form):
    """What the figures are grouped by, and of which days; both included, in UTC."""

    since = forms.DateField(label=_("From"), widget=forms.DateInput(attrs=DAY, format="%Y-%m-%d"))
    until = forms.DateField(label=_("To"), widget=forms.DateInput(attrs=DAY, format="%Y-%m-%d"))
    group_by = forms.ChoiceField(label=_("Group by"), choices=GROUPINGS)
    metadata = forms.CharField(label=_("Metadata field"), required=False, max_length=40, strip=False)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("group_by") == "metadata" and not given.get("metadata") and "metadata" not in self.errors:
            self.add_error("metadata", _now("Say which field."))
        since, until = given.get("since"), given.get("until")
        if since and until and until < since:
            self.add_error("until", _now("The last day must not be before the first."))
        elif since and until and (until - since).days >= usage.MOST_DAYS:
            self.add_error("since", _now("Ask for %(count)d days at most.") % {"count": usage.MOST_DAYS})
        return given

    def wanted(self) -> dict[str, Any]:
        """For `usage.of`, of a valid form."""
        given = self.cleaned_data
        field = usage.Group(name="metadata", metadata=given["metadata"])
        by = (field,) if given["group_by"] == "metadata" else usage.groups(given["group_by"])
        return {"since": given["since"], "until": given["until"], "by": by}


class PriceForm(forms.Form):
    """A pack, or an amount of one's own."""

    pack = forms.ChoiceField(label=_("Credits"), widget=forms.RadioSelect)
    amount_usd = forms.DecimalField(label=_("Your own amount, in US dollars"), required=False, decimal_places=2)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["pack"].choices = pack_choices()  # type: ignore[attr-defined]
        least, most = settings.TOP_UP_MIN_USD, settings.TOP_UP_MAX_USD
        words = _now("From $%(least)s to $%(most)s; %(rate)s credits a dollar.")
        amount = self.fields["amount_usd"]
        amount.help_text = words % {"least": f"{least:,}", "most": f"{most:,}", "rate": packs.CREDITS_A_DOLLAR}
        amount.widget.attrs |= {"inputmode": "decimal", "min": str(least), "max": str(most)}

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("pack") and "amount_usd" not in self.errors:
            given["cents"] = self._cents(given["pack"], given.get("amount_usd"))
        return given

    def _cents(self, pack: str, amount: Decimal | None) -> int:
        if pack != OWN:
            return packs.cents_of(pack, None)
        try:
            if amount is not None:
                return packs.cents_of(None, amount)
        except InvalidRequest:
            pass
        self.add_error("amount_usd", self.fields["amount_usd"].help_text)
        return 0


class TopUpForm(PriceForm):
    save_payment_method = forms.BooleanField(
        label=_("Save the card for auto-recharge"),
        required=False,
        help_text=_("Nothing is charged by itself until you switch auto-recharge on."),
    )


class AutoRechargeForm(PriceForm):
    enabled = forms.BooleanField(label=_("Buy credits by itself when they run low"), required=False)
    threshold_credits = forms.DecimalField(
        label=_("When fewer credits than this are available"),
        decimal_places=4,
        min_value=SMALLEST,
        max_value=MOST_CREDITS,
    )
    monthly_maximum_usd = forms.DecimalField(
        label=_("At most, in US dollars a month (UTC)"),
        decimal_places=2,
        min_value=Decimal("0.01"),
        max_value=Decimal("9999999.99"),
    )
    field_order = ("enabled", "threshold_credits", "pack", "amount_usd", "monthly_maximum_usd")


class VoucherForm(forms.Form):
    code = forms.CharField(
        label=_("Voucher code"),
        max_length=100,
        widget=forms.TextInput(
            attrs={"placeholder": "EVO-7K3Q-9XRT-2M4E", "autocomplete": "off", "spellcheck": "false"}
        ),
    )


class CapForm(forms.Form):
    monthly_cap = CreditsField(label=_("Credits a month (UTC)"))


class ThresholdsForm(forms.Form):
    """One number a line."""

    thresholds = forms.CharField(
        label=_("Tell us when fewer credits than these are available"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "inputmode": "decimal", "spellcheck": "false"}),
        help_text=_("One number a line. Empty: nobody is told."),
    )

    def clean_thresholds(self) -> list[Decimal]:
        one = forms.DecimalField(max_digits=20, decimal_places=4, min_value=SMALLEST)
        found = [one.clean(line) for line in self.cleaned_data["thresholds"].split()]
        if len(set(found)) > thresholds.MOST:
            raise forms.ValidationError(_now("At most %(count)d numbers.") % {"count": thresholds.MOST})
        return found


class GuardForm(forms.Form):
    enabled = forms.BooleanField(label=_("Pause a key whose spending jumps"), required=False)
    factor = forms.DecimalField(
        label=_("Times the busiest hour of 14 days"), max_digits=8, decimal_places=2, min_value=Decimal(1)
    )
    minimum = forms.DecimalField(
        label=_("But never below (credits an hour)"), max_digits=20, decimal_places=4, min_value=SMALLEST
    )


class TestForm(forms.Form):
    url = forms.CharField(
        label=_("Address"),
        max_length=MAX_ADDRESS,
        required=False,
        widget=forms.URLInput(attrs={"placeholder": "https://example.com/callbacks", "autocomplete": "url"}),
        help_text=_("Empty: where the newest callback went."),
    )


class DeliveriesForm(forms.Form):
    """Which deliveries to list; nothing said: all."""

    task = forms.CharField(label=_("Task"), required=False, max_length=60)
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[("", _("all")), *((state, words) for state, (words, _look) in wording.BADGES["delivery"].items())],
    )


def pack_choices() -> list[tuple[str, str]]:
    words = _now("$%(dollars)s — %(credits)s credits")
    known = [
        (name, words % {"dollars": f"{cents // 100:,}", "credits": f"{packs.credits_for(cents).normalize():,f}"})
        for name, cents in packs.PACKS.items()
    ]
    return [*known, (OWN, _now("Another amount"))]


def of_recharge(row: AutoRecharge) -> dict[str, Any]:
    """What the form shows at first: what is set, or something sensible that is off."""
    cents = row.amount_cents or packs.PACKS[USUAL_PACK]
    pack = next((name for name, price in packs.PACKS.items() if price == cents), OWN)
    return {
        "enabled": row.enabled,
        "threshold_credits": plain(row.threshold_credits or packs.credits_for(cents) / 10),
        "pack": pack,
        "amount_usd": plain(Decimal(cents) / 100) if pack == OWN else None,
        "monthly_maximum_usd": plain(Decimal(row.monthly_maximum_cents or cents * 4) / 100),
    }


def of_guard(guard: SpendingGuard) -> dict[str, Any]:
    return {"enabled": guard.on_since is not None, "factor": plain(guard.factor), "minimum": plain(guard.minimum)}


def plain(amount: Decimal) -> str:
    """500 rather than 500.0000."""
    return f"{Decimal(amount).normalize():f}"
