"""What everybody reads above the public pages: written, timed and switched off here, with a reason."""

from django.contrib import admin
from django.utils import timezone
from unfold.decorators import display

from accounts import announcements
from accounts.admin.pages import Editable
from accounts.models import Announcement


@admin.register(Announcement)
class AnnouncementAdmin(Editable):
    list_display = ("text_en", "text_zh_hans", "link", "starts_at", "ends_at", "standing")
    list_filter = ("enabled",)
    search_fields = ("text_en", "text_zh_hans")
    fields = ("text_en", "text_zh_hans", "link", "starts_at", "ends_at", "enabled")

    @display(
        description="state",
        label={"shown": "success", "outshone": "warning", "to come": "info", "over": "", "disabled": "danger"},
    )
    def standing(self, row: Announcement) -> str:
        """Shown; outshone by a younger one; still to come; over; or disabled."""
        now = timezone.now()
        if not row.enabled:
            return "disabled"
        if row.starts_at > now:
            return "to come"
        if row.ends_at is not None and row.ends_at <= now:
            return "over"
        return "shown" if row == announcements.current(now) else "outshone"
