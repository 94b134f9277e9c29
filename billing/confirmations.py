"""What one operator may give alone, and what needs a second one."""

from datetime import timedelta
from decimal import Decimal

from django.conf import settings

from accounts.models import User
from billing.errors import GrantRefused

WINDOW = timedelta(hours=24)


def needed(amount: Decimal, alone_before: Decimal) -> bool:
    """Whether `amount` needs a second operator, after what the first gave without one in the last 24 hours."""
    return abs(amount) + alone_before > settings.GRANT_CONFIRMATION_CREDITS


def check_another(by: User, first: User) -> None:
    """Raise GrantRefused when both are the same. The database refuses it as well."""
    if by.pk == first.pk:
        raise GrantRefused("Whoever asked for it cannot decide it: another operator must.")
