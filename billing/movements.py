"""An organization's transfers, found by their time without an index of it, and read page by page.

In a wallet `seq` has no gaps and time never goes back (the auditor's I5), so a moment is found by halving: some two
dozen looks at the index of `seq`, whatever there is before or after.
"""

from datetime import datetime
from uuid import UUID

from django.db import connection

from accounts import paging
from accounts.models import Organization
from billing.models import Transfer

LAST_BEFORE = """
    WITH RECURSIVE halving (low, high) AS (
        SELECT 0::bigint, seq FROM billing_wallet WHERE organization_id = %(wallet)s
        UNION ALL
        SELECT CASE WHEN t.created_at < %(moment)s THEN t.seq ELSE h.low END,
            CASE WHEN t.created_at < %(moment)s THEN h.high ELSE t.seq - 1 END
        FROM halving h JOIN billing_transfer t ON t.wallet_id = %(wallet)s AND t.seq = (h.low + h.high + 1) / 2
        WHERE h.low < h.high)
    SELECT low FROM halving WHERE low = high
"""


def last_before(wallet_id: UUID, moment: datetime) -> int:
    """The `seq` of the wallet's last transfer before the moment; 0 when there is none."""
    with connection.cursor() as cursor:
        cursor.execute(LAST_BEFORE, {"wallet": wallet_id, "moment": moment})
        found = cursor.fetchone()
    return found[0] if found else 0


def newest_first(
    organization: Organization,
    before: int | None,
    size: int,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
) -> tuple[list[Transfer], int | None]:
    """Up to `size` transfers with a `seq` below `before`, of that time; and what is `before` for the next page."""
    rows = Transfer.objects.filter(wallet_id=organization.pk).select_related("reservation")
    if since is not None:
        rows = rows.filter(seq__gt=last_before(organization.pk, since))
    if until is not None:
        rows = rows.filter(seq__lte=last_before(organization.pk, until))
    found, last = paging.page(rows, size, before, by="seq")
    return found, last.seq if last else None
