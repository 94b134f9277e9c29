"""Tell the operators. The rows belong to an app further right, so settings name the function that writes them."""

from django.conf import settings
from django.utils.module_loading import import_string


def tell(kind: str, subject: str, message: str) -> None:
    """Write the alert in the caller's transaction."""
    import_string(settings.TELL_OPERATORS)(kind, subject, message)
