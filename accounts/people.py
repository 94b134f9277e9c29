"""People: sign up, and what they prefer. Their passwords and second factors are django-allauth's business."""

from zoneinfo import available_timezones

from django.conf import settings
from django.db import transaction

from accounts import audit_log
from accounts.errors import InvalidRequest
from accounts.models import User

PREFERENCES = ("name", "language", "time_zone")


@transaction.atomic
def sign_up(email: str, password: str, language: str) -> User:
    """A new login. Raises IntegrityError when the address has one."""
    user = User.objects.create_user(email, password, language=language)
    audit_log.record(action="user.signed_up", target=user, changes=audit_log.made(user, ("email", "language")))
    return user


def language_of(email: str) -> str:
    """What e-mails to this address are written in."""
    chosen = User.objects.filter(email__iexact=email).values_list("language", flat=True).first()
    return chosen or settings.LANGUAGE_CODE


@transaction.atomic
def set_preferences(user: User, **wanted: str) -> User:
    """Set any of `PREFERENCES`. Raises InvalidRequest for a time zone that does not exist."""
    if wanted.get("time_zone", "UTC") not in available_timezones():
        raise InvalidRequest("invalid_parameter", "There is no such time zone.", param="time_zone")
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    changes = audit_log.compared(audit_log.values(user, PREFERENCES), wanted)
    for name, value in wanted.items():
        setattr(user, name, value)
    user.save(update_fields=list(wanted))
    if changes:
        audit_log.record(action="user.changed", target=user, changes=changes)
    return user
