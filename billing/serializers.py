"""The books as the API reads and writes them."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.fields import Credits, SignedCredits, UnixTime
from billing import statements
from billing.amounts import number
from billing.models import IN_THE_BALANCE, Account, CreditLot, Kind, Transfer, VoucherBatch


class OrganizationCredits(serializers.Serializer):
    remaining_credits = Credits(source="remaining", help_text="What is there and not reserved.")
    used_credits = Credits(source="used", help_text="What finished tasks cost, less refunds.")


class KeyCredits(OrganizationCredits):
    remaining_credits = Credits(
        source="remaining",
        help_text="What can be spent now: the least that the key's limits, the cap and `user` leave.",
    )
    unlimited_credits = serializers.BooleanField(help_text="The key has no limit of its own.")


class CreditsData(serializers.Serializer):
    user = OrganizationCredits(help_text="The organization.")
    token = KeyCredits(help_text="The API key of this request.")


class CreditsAnswer(serializers.Serializer):
    success = serializers.BooleanField(default=True)
    message = serializers.CharField(default="", allow_blank=True)
    data = CreditsData()


class MovementsInput(serializers.Serializer):
    cursor = serializers.IntegerField(
        required=False, min_value=1, max_value=2**63 - 1, help_text="`next_cursor` of the page before."
    )
    page_size = serializers.IntegerField(default=20, min_value=1, max_value=100)
    created_after = UnixTime(required=False, help_text="At this moment or later.")
    created_before = UnixTime(required=False, help_text="Before this moment.")


class Movement(serializers.ModelSerializer):
    """One row of the ledger: `amount` credits left the account `debit` and entered the account `credit`."""

    object = serializers.CharField(default="ledger.movement", read_only=True)
    kind = serializers.ChoiceField(choices=Kind.choices)
    debit = serializers.ChoiceField(choices=Account.choices)
    credit = serializers.ChoiceField(choices=Account.choices)
    amount = Credits()
    task_id = serializers.CharField(source="reservation.task_id", default=None, allow_null=True)
    balance_after = Credits(help_text="Reserved credits included.")
    reserved_after = Credits()
    created = UnixTime(source="created_at")

    class Meta:
        model = Transfer
        fields = (
            "object",
            "seq",
            "kind",
            "amount",
            "debit",
            "credit",
            "reference",
            "task_id",
            "balance_after",
            "reserved_after",
            "created",
        )


class MovementsPage(serializers.Serializer):
    object = serializers.CharField(default="list", read_only=True)
    data = Movement(many=True)
    next_cursor = serializers.CharField(allow_null=True, help_text="None on the last page.")


class StatementInput(serializers.Serializer):
    cursor = serializers.IntegerField(
        required=False, min_value=0, max_value=2**63 - 1, help_text="`next_cursor` of the page before."
    )
    page_size = serializers.IntegerField(default=100, min_value=1, max_value=1000)


class StatementLine(serializers.ModelSerializer):
    """One change of the balance: `credits` are positive where they came in."""

    kind = serializers.ChoiceField(choices=[kind.value for kind in IN_THE_BALANCE])
    credits = serializers.SerializerMethodField()
    lot = serializers.ChoiceField(source="lot.kind", choices=CreditLot.Kind.choices)
    task_id = serializers.CharField(source="reservation.task_id", default=None, allow_null=True)
    model = serializers.CharField(source="reservation.model", default=None, allow_null=True)
    key_id = serializers.CharField(source="api_key.public_id", default=None, allow_null=True)
    balance = Credits(source="balance_after", help_text="After this line; reserved credits included.")
    created = UnixTime(source="created_at")

    class Meta:
        model = Transfer
        fields = ("seq", "created", "kind", "credits", "lot", "task_id", "model", "key_id", "reference", "balance")

    @extend_schema_field(SignedCredits)
    def get_credits(self, transfer: Transfer) -> int | float:
        return number(statements.signed(transfer))


class StatementOrganization(serializers.Serializer):
    id = serializers.CharField(source="public_id")
    name = serializers.CharField()


class StatementTotals(serializers.Serializer):
    """What each kind of line makes in the whole month."""

    def get_fields(self) -> dict[str, serializers.Field]:
        return {kind: SignedCredits() for kind in statements.LABELS}


class StatementPage(serializers.Serializer):
    """`opening_balance` + the `credits` of all lines = `closing_balance`. Times are of UTC; `to` is exclusive."""

    object = serializers.CharField(default="statement", read_only=True)
    month = serializers.CharField(source="statement.month")
    organization = StatementOrganization(source="statement.organization")
    time_zone = serializers.CharField(default="UTC", read_only=True)
    provisional = serializers.BooleanField(
        source="statement.provisional", help_text="The month is not over, and lines may still be added."
    )
    opening_balance = Credits(source="statement.opening_balance")
    closing_balance = Credits(source="statement.closing_balance")
    totals = StatementTotals(source="statement.totals")
    data = StatementLine(many=True, help_text="Oldest first.")
    next_cursor = serializers.CharField(allow_null=True, help_text="None on the last page.")

    def get_fields(self) -> dict[str, serializers.Field]:
        moments = {"from": "statement.starts_at", "to": "statement.ends_at"}
        return super().get_fields() | {name: UnixTime(source=source) for name, source in moments.items()}


class VoucherInput(serializers.Serializer):
    code = serializers.CharField(
        max_length=100, help_text="Such as `EVO-7K3Q-9XRT-2M4E`; case, spaces and dashes do not matter."
    )


class VoucherRedeemed(serializers.Serializer):
    """What a voucher gave: a lot of its own, which burns before credits that were paid for."""

    object = serializers.CharField(default="voucher.redemption", read_only=True)
    credits = Credits(help_text="What was granted.")
    kind = serializers.ChoiceField(choices=VoucherBatch.KINDS)
    expires_at = UnixTime(allow_null=True, help_text="When these credits expire; null: never.")
    balance = Credits(help_text="After it; reserved credits included.")
    remaining_credits = Credits(source="available", help_text="What can be spent now.")
