"""Rolling up: add what a wallet's cursor has not passed yet to the roll-ups, and move the cursor, in one transaction.

What is rolled up is numbered per wallet without gaps, and a number is given under the wallet's lock, which is held
until the commit. So the numbers are committed in their order: whoever sees number n sees every one below it, and a
cursor that moves to the wallet's counter can skip nothing, whoever rolls up and however many at once.
"""

import math
import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection, models, transaction
from django.db.models import F, Q

from billing.models import Wallet

CHUNK = 20_000
"""Rows that are rolled up in one transaction."""


@dataclass(frozen=True, kw_only=True)
class Rolling:
    """One kind of roll-up: its rows, its cursors, the wallet's counter of what they count, and the SQL that adds.

    `add` takes the rows of the wallet `%(wallet)s` with `%(after)s < seq <= %(last)s`.
    """

    sums: type[models.Model]
    cursors: type[models.Model]
    counter: str
    add: str

    def roll(self, wallet_id: UUID, *, chunk: int = CHUNK) -> int:
        """Roll up what there is of this wallet, and say how many rows that was."""
        rolled = 0
        while added := self._roll_some(wallet_id, chunk):
            rolled += added
        return rolled

    def roll_all(self, *, seconds: float = math.inf) -> int:
        """Roll up every wallet that has a tail, for so long, and say how many rows that was."""
        until, rolled = time.monotonic() + seconds, 0
        to_wallet: Any = self.cursors._meta.get_field("wallet")
        cursor = to_wallet.related_query_name()
        behind = Q(**{f"{cursor}__isnull": True}) | Q(**{f"{cursor}__seq__lt": F(self.counter)})
        wallets = Wallet.objects.filter(behind, **{f"{self.counter}__gt": 0})
        for wallet_id in wallets.order_by("?").values_list("pk", flat=True):
            while added := self._roll_some(wallet_id, CHUNK):
                rolled += added
                if time.monotonic() >= until:
                    return rolled
        return rolled

    @transaction.atomic
    def start_over(self, wallet_id: UUID) -> None:
        """Forget a wallet's roll-ups, all of which is tail then; for rows that the auditor found wrong."""
        cursor = self._locked_cursor(wallet_id)
        self.sums._default_manager.filter(wallet_id=wallet_id).delete()
        cursor.seq = 0
        cursor.save(update_fields=["seq"])

    @transaction.atomic
    def _roll_some(self, wallet_id: UUID, chunk: int) -> int:
        rolled_up = self._locked_cursor(wallet_id)
        newest = Wallet.objects.values_list(self.counter, flat=True).get(pk=wallet_id)  # read behind the lock
        last = min(newest, rolled_up.seq + chunk)
        added: int = last - rolled_up.seq
        if added > 0:
            with connection.cursor() as cursor:
                cursor.execute(self.add, {"wallet": wallet_id, "after": rolled_up.seq, "last": last})
            rolled_up.seq = last
            rolled_up.save(update_fields=["seq"])
        return added

    def _locked_cursor(self, wallet_id: UUID) -> Any:
        cursors = self.cursors._default_manager
        cursors.bulk_create([self.cursors(wallet_id=wallet_id)], ignore_conflicts=True)
        return cursors.select_for_update(no_key=True).get(pk=wallet_id)
