"""The books as the API reads and writes them."""

from rest_framework import serializers

from accounts.fields import Credits, UnixTime
from billing.models import Account, Kind, Transfer


class OrganizationCredits(serializers.Serializer):
    remaining_credits = Credits(source="remaining", help_text="What can be spent now.")
    used_credits = Credits(source="used", help_text="What finished tasks cost, less refunds.")


class KeyCredits(OrganizationCredits):
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
