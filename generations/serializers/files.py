"""Files as their API reads and shows them: its own envelope, ISO times, and both spellings of its fields."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.models import Organization
from generations import files
from generations.models import StoredFile
from generations.upload_bodies import Base64Text
from generations.uploads import Names

OTHER_SPELLINGS = {"uploadPath": "upload_path", "fileName": "file_name"}
MAX_ADDRESS = 2048


def one_spelling(given: Mapping[str, Any]) -> dict[str, Any]:
    """Both spellings are in use; where both are given, ours counts."""
    plain = {name: given[name] for name in given}
    return {OTHER_SPELLINGS[name]: plain[name] for name in plain if name in OTHER_SPELLINGS} | plain


class NamesInput(serializers.Serializer):
    """`uploadPath` and `fileName` are understood, too."""

    upload_path = serializers.CharField(required=False, allow_blank=True, default="", max_length=1000)
    file_name = serializers.CharField(required=False, allow_blank=True, default="", max_length=1000)

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(one_spelling(data) if isinstance(data, Mapping) else data)

    @property
    def names(self) -> Names:
        return Names(upload_path=self.validated_data["upload_path"], file_name=self.validated_data["file_name"])


@extend_schema_field({"type": "string", "description": "Plain base64, or a data URL."})
class Base64Field(serializers.Field):
    """The one long string of a body, which its parser left on the disk."""

    def to_internal_value(self, data: Any) -> Base64Text:
        if not isinstance(data, Base64Text):
            raise serializers.ValidationError("This field must be a string.")
        return data


class Base64Upload(NamesInput):
    base64_data = Base64Field()


class StreamUpload(NamesInput):
    file = serializers.FileField(max_length=1000)


class UrlUpload(NamesInput):
    file_url = serializers.CharField(max_length=MAX_ADDRESS, help_text="A public http or https address.")


class PageQuery(serializers.Serializer):
    page = serializers.IntegerField(min_value=1, max_value=100_000, default=1)
    pageSize = serializers.IntegerField(source="page_size", min_value=1, max_value=100, default=20)


class FileShape(serializers.Serializer):
    """The `data` of a finished upload."""

    file_id = serializers.CharField(source="public_id")
    file_name = serializers.CharField()
    original_name = serializers.CharField()
    file_size = serializers.IntegerField(source="size_bytes", help_text="Bytes.")
    mime_type = serializers.CharField()
    upload_path = serializers.CharField()
    file_url = serializers.SerializerMethodField(help_text="Readable without a key until the file expires.")
    download_url = serializers.SerializerMethodField()
    upload_time = serializers.DateTimeField(source="created_at")
    expires_at = serializers.DateTimeField()

    def get_file_url(self, file: StoredFile) -> str:
        return files.public_url(file)

    def get_download_url(self, file: StoredFile) -> str:
        return files.download_url(file)


class ListedFile(serializers.Serializer):
    file_id = serializers.CharField(source="public_id")
    file_name = serializers.CharField()
    file_size = serializers.IntegerField(source="size_bytes", help_text="Bytes.")
    upload_time = serializers.DateTimeField(source="created_at")


class FilePage(serializers.Serializer):
    total = serializers.IntegerField()
    files = ListedFile(many=True)


class Quota(serializers.Serializer):
    user_group = serializers.CharField()
    used_files = serializers.IntegerField()
    max_files = serializers.IntegerField()
    remain_files = serializers.IntegerField()


class Envelope(serializers.Serializer):
    success = serializers.BooleanField()
    code = serializers.IntegerField()
    msg = serializers.CharField()


class FileAnswer(Envelope):
    data = FileShape()


class FilePageAnswer(Envelope):
    data = FilePage()


class QuotaAnswer(Envelope):
    data = Quota()


def answer(data: Any, message: str) -> dict[str, Any]:
    return {"success": True, "code": 200, "msg": message, "data": data}


def quota(organization: Organization) -> dict[str, Any]:
    group, used = organization.user_group, files.uploads(organization).count()
    return {
        "user_group": group.name,
        "used_files": used,
        "max_files": group.max_files,
        "remain_files": max(0, group.max_files - used),
    }
