"""The admin's first page, and the pages of other people's apps in the admin's dress, to look at: the
queue's (rows are the truth, it is only a doorbell), and those of signing in. Whoever lost phone and recovery codes is
let in again by an operator.
"""

from allauth.account.admin import EmailAddressAdmin
from allauth.account.models import EmailAddress
from allauth.mfa.admin import AuthenticatorAdmin
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.http import HttpRequest
from django_q.admin import FailAdmin, QueueAdmin, ScheduleAdmin, TaskAdmin
from django_q.models import Failure, OrmQ, Schedule, Success
from unfold.admin import ModelAdmin

from accounts.admin.actions import DANGER, Done, Given, reasoned
from accounts.admin.pages import ReadOnly
from evolink_saas import sign_in

PAGES = (
    (EmailAddress, EmailAddressAdmin),
    (Schedule, ScheduleAdmin),
    (Success, TaskAdmin),
    (Failure, FailAdmin),
    (OrmQ, QueueAdmin),
)

SEARCHED: dict[type[admin.ModelAdmin], tuple[str, ...]] = {
    EmailAddressAdmin: ("email", "user__email"),
    ScheduleAdmin: ("name", "func"),
    TaskAdmin: ("name__exact", "func__exact"),
    FailAdmin: ("name__exact", "func__exact"),
    QueueAdmin: ("key__exact",),
}


def _dressed(page: type[admin.ModelAdmin]) -> type[ModelAdmin]:
    """The page with our looks and without its ways to change anything."""
    return type(
        page.__name__,
        (ReadOnly, page),
        {"actions": (), "fields": None, "readonly_fields": (), "search_fields": SEARCHED[page]},
    )


class SecondFactorAdmin(ReadOnly, AuthenticatorAdmin):
    """That somebody has one. The secrets in it are not shown."""

    list_display = ("user", "type", "created_at", "last_used_at")
    list_filter = ("type",)
    list_select_related = ("user",)
    search_fields = ("user__email",)
    raw_id_fields = ()
    fields = ("user", "type", "created_at", "last_used_at")
    actions_detail = ("remove",)

    def has_operate_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Nobody but a superuser takes it from a superuser."""
        above = object_id is not None and Authenticator.objects.filter(pk=object_id, user__is_superuser=True).exists()
        return super().has_operate_permission(request) and (request.user.is_superuser or not above)

    @reasoned(
        "Switch two-factor off",
        variant=DANGER,
        icon="phonelink_erase",
        text="Then this person signs in with the password alone. Make sure that it is really them who ask.",
    )
    def remove(self, factor: Authenticator, given: Given) -> Done:
        sign_in.remove_second_factor(factor.user)
        return Done(f"{factor.user} signs in with the password alone.", about=factor.user)


admin.site.index_template = "dashboard/page.html"
admin.site.unregister(Authenticator)
admin.site.register(Authenticator, SecondFactorAdmin)
for model, page in PAGES:
    if admin.site.is_registered(model):
        admin.site.unregister(model)
        admin.site.register(model, _dressed(page))
