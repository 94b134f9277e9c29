"""What the playground's templates write with beside `pages`."""

from decimal import Decimal

from django import template
from django.utils.translation import ngettext

from evolink_saas.templatetags import pages

register = template.Library()


@register.filter
def in_credits(amount: Decimal) -> str:
    """`1 credit`, `27.5 credits`."""
    words = ngettext("%(amount)s credit", "%(amount)s credits", 1 if amount == 1 else 2)
    return words % {"amount": pages.credits(amount)}
