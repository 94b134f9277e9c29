"""People and what operators may do. Only a superuser makes operators, and an operator belongs to no organization."""

from typing import Any

from allauth.account.models import EmailAddress
from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from accounts.admin.pages import Editable, reason_field
from accounts.models import User

POWERS = ("is_staff", "is_superuser", "groups", "user_permissions")


class NewUser(UserCreationForm):
    reason = reason_field()

    class Meta:
        model = User
        fields = ("email",)


class UserEdit(UserChangeForm):
    reason = reason_field()

    class Meta:
        model = User
        fields = "__all__"

    def clean_is_staff(self) -> bool:
        is_staff: bool = self.cleaned_data["is_staff"]
        if is_staff and self.instance.memberships.exists():
            raise forms.ValidationError("A member of an organization cannot be an operator of the gateway.")
        return is_staff


class NewPassword(AdminPasswordChangeForm):
    reason = reason_field()

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields.pop("usable_password", None)  # whoever has a password keeps one


@admin.register(User)
class UserAdmin(Editable, DjangoUserAdmin):  # type: ignore[misc]  # the stubs disagree with Django about both bases
    list_display = ("email", "name", "operator", "is_active", "date_joined", "last_login")
    list_filter = ("is_staff", "is_superuser", "is_active")
    search_fields = ("email", "name")
    ordering = ("-pk",)  # type: ignore[misc]
    form, add_form, change_password_form = UserEdit, NewUser, NewPassword
    change_user_password_template = "admin/reason.html"
    filter_horizontal = ("groups", "user_permissions")
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("email", "name", "password", "is_active", "reason")}),
        ("Operator", {"fields": POWERS}),
        ("Times", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "usable_password", "password1", "password2", "reason")}),)

    @display(description="operator", boolean=True, ordering="is_staff")
    def operator(self, user: User) -> bool:
        return user.is_staff

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.readonly_fields if request.user.is_superuser else (*self.readonly_fields, *POWERS)

    @transaction.atomic
    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        """Django makes no transaction of it, and the audit entry wants one."""
        return super().user_change_password(request, id, form_url)

    def save_model(self, request: HttpRequest, obj: Any, form: forms.ModelForm, change: Any) -> None:
        """Whoever changes the address vouches for it, and the one before opens nothing any more."""
        super().save_model(request, obj, form, change)
        if change and "email" in form.changed_data:
            EmailAddress.objects.filter(user=obj).delete()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody but a superuser edits a superuser: a new password would be a way in."""
        above = obj is not None and obj.is_superuser and not request.user.is_superuser
        return not above and super().has_change_permission(request, obj)


admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(Editable, DjangoGroupAdmin):  # type: ignore[misc]
    """Permissions that operators share."""

    fields = ("name", "permissions")
