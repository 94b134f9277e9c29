"""How many codes that do not exist may be tried in an hour: 10 by an organization, 30 from an address.

A try is counted before the look-up, so that a hundred at once are no way around it, and given back when the code
exists. One statement counts, no further than the limit. An IPv6 address counts with its /64, which one customer has.
"""

import time
from ipaddress import IPv4Address, IPv6Address, ip_network

from django.db import connection
from django.db.models import F

from accounts.errors import TooManyRequests
from accounts.models import Organization
from billing.models import VoucherTries

OF_AN_ORGANIZATION, OF_AN_ADDRESS = 10, 30
HOUR = 3600
Address = IPv4Address | IPv6Address
COUNT_ONE_TRY = """
    INSERT INTO billing_vouchertries AS present (who, hour, tries) VALUES (%(who)s, %(hour)s, 1)
    ON CONFLICT (who, hour) DO UPDATE SET tries = present.tries + 1 WHERE present.tries < %(limit)s
    RETURNING tries"""


def take(organization: Organization, address: Address | None) -> int:
    """Count one try, and return its hour for `give_back`. Raises TooManyRequests `too_many_voucher_tries`."""
    now = time.time()
    hour = int(now // HOUR)
    for who, limit in _counted(organization, address).items():
        with connection.cursor() as cursor:
            cursor.execute(COUNT_ONE_TRY, {"who": who, "hour": hour, "limit": limit})
            if cursor.fetchone() is None:
                message = "Too many codes that do not exist were tried; please try again later."
                wait = max(1, round(HOUR - now % HOUR))
                raise TooManyRequests("too_many_voucher_tries", message, retry_after_seconds=wait)
    return hour


def give_back(organization: Organization, address: Address | None, hour: int) -> None:
    """The code exists, so it was no guess."""
    rows = VoucherTries.objects.filter(who__in=_counted(organization, address), hour=hour, tries__gt=0)
    rows.update(tries=F("tries") - 1)


def sweep() -> int:
    """Forget the hours before the present one; how many rows went."""
    return VoucherTries.objects.filter(hour__lt=int(time.time() // HOUR)).delete()[0]


def _counted(organization: Organization, address: Address | None) -> dict[str, int]:
    counted = {organization.public_id: OF_AN_ORGANIZATION}
    if address is not None:
        bits = 64 if address.version == 6 else 32
        counted[str(ip_network((address, bits), strict=False))] = OF_AN_ADDRESS
    return counted
