"""What templates of pages write with: icons, form fields, credits, moments, badges."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms, template
from django.forms.boundfield import BoundField
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from billing.dollars import usd
from billing.pricing import Line
from evolink_saas.console import money_words, price_words, task_words, wording
from evolink_saas.console.wording import Words
from generations import catalog

register = template.Library()
CHECKS = (forms.CheckboxInput,)
LONG = 9
GROUPS = (forms.CheckboxSelectMultiple, forms.RadioSelect)


@register.simple_tag
def icon(name: str) -> SafeString:
    """A picture beside words, so nothing for screen readers."""
    return format_html(
        '<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>', static("console/icons.svg"), name
    )


@register.simple_tag
def model_for(kind: str) -> str:
    """The first model of the catalogue that makes a `video` or an `element`."""
    return next(spec.id for spec in catalog.SPECS if spec.type == kind)


@register.inclusion_tag("console/parts/field.html")
def field(bound: BoundField, label: str = "") -> dict[str, Any]:
    """A field of a form with its label, its help and what is wrong with it.

    A label that the page gives stands for the form's own words, of which the placeholder is a repetition.
    """
    widget = bound.field.widget
    if label:
        widget.attrs.pop("placeholder", None)
    return {
        "field": bound,
        "label": label or bound.label,
        "is_check": isinstance(widget, CHECKS),
        "is_group": isinstance(widget, GROUPS),
        "is_optional": not bound.field.required and not isinstance(widget, CHECKS),
    }


@register.filter
def line_label(line: Line) -> str:
    return price_words.label(line)


@register.filter
def line_quantity(line: Line) -> str:
    return price_words.quantity(line)


@register.filter
def credits(amount: Decimal | None) -> str:
    """`12,345.6789`: thousands apart, and no zeros at the end."""
    return "" if amount is None else f"{amount:,.4f}".rstrip("0").rstrip(".")


@register.filter
def figure(amount: Decimal) -> str:
    """Credits as a page's large figure, smaller when they have many digits: they are not to be broken in two."""
    text = credits(amount)
    return format_html('<span class="long">{}</span>', text) if len(text) > LONG else text


@register.filter
def call_problem(text: str) -> Words:
    """Why a call got no answer, in the reader's words where they are ours."""
    return money_words.CALL_PROBLEMS.get(text, text)


@register.filter
def change(amount: Decimal) -> str:
    """`+12.5` or `−3`, and nothing for 0."""
    return f"{'+' if amount > 0 else '−'}{credits(abs(amount))}" if amount else ""


@register.filter
def dollars(amount: Decimal) -> str:
    """What credits sell at, in dollars: 2 decimals, 3 below a dollar."""
    value = usd(Decimal(amount))
    return f"${value:,.3f}" if abs(value) < 1 else f"${value:,.2f}"


@register.filter
def moment(at: datetime | None) -> SafeString | str:
    """`2026-11-25 14:05` in the reader's time zone; pointing at it names the zone."""
    if at is None:
        return "—"
    local = timezone.localtime(at)
    return format_html(
        '<time datetime="{}" title="{}" class="nowrap">{}</time>',
        at.isoformat(),
        f"{local:%Y-%m-%d %H:%M:%S} {timezone.get_current_timezone_name()}",
        f"{local:%Y-%m-%d %H:%M}",
    )


@register.filter
def ago(at: datetime | None) -> SafeString | str:
    """`5 minutes ago`; pointing at it says when exactly."""
    if at is None:
        return gettext("never")
    local = timezone.localtime(at)
    return format_html(
        '<time datetime="{}" title="{}" class="nowrap">{}</time>',
        at.isoformat(),
        f"{local:%Y-%m-%d %H:%M:%S} {timezone.get_current_timezone_name()}",
        wording.ago(timezone.now() - at),
    )


@register.simple_tag
def badge(kind: str, state: str) -> SafeString:
    """The state of a task, a key, … in the reader's words and its colour (`wording.BADGES`)."""
    words, look = wording.badge(kind, state)
    return format_html('<span class="badge {}">{}</span>', look, words)


@register.filter
def role_name(role: str) -> str:
    return str(wording.ROLES.get(role, role))


@register.filter
def scope_name(scope: str) -> str:
    return str(wording.SCOPES.get(scope, scope))


@register.simple_tag
def moment_to_the_second(at: datetime) -> SafeString:
    """`2026-11-25 14:05:09`, where the order within a minute matters."""
    local = timezone.localtime(at)
    return format_html(
        '<time datetime="{}" title="{}" class="nowrap">{}</time>',
        at.isoformat(),
        timezone.get_current_timezone_name(),
        f"{local:%Y-%m-%d %H:%M:%S}",
    )


@register.filter
def movement(kind: str) -> str:
    """A kind of transfer that a task makes."""
    return str(task_words.KINDS.get(kind, kind))
