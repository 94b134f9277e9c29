"""The line above the public pages: what operators announce, in every language that pages speak.

Of several that count now, the one that started last is shown. Operators write them in the admin.
"""

from datetime import datetime

from django.db.models import Q

from accounts.models import Announcement


def current(now: datetime) -> Announcement | None:
    begun = Announcement.objects.filter(enabled=True, starts_at__lte=now)
    return begun.filter(Q(ends_at=None) | Q(ends_at__gt=now)).order_by("-starts_at", "-pk").first()


def text(announcement: Announcement, language: str) -> str:
    """In the reader's language; in English where there is none."""
    return str(getattr(announcement, f"text_{language.replace('-', '_')}", announcement.text_en))
