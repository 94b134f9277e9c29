"""Bodies that carry a file: read so that no file ever stands in memory as a whole.

A JSON body may hold one long string, `base64_data`. While the body comes in, that string goes to a temporary file as it
is written; what remains is small and read like any other JSON. Multipart files go to temporary files by Django's own
handler. Both are bounded by the largest file we take.
"""

import base64
import binascii
import io
import json
import re
import secrets
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, BinaryIO

from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import SkipFile, TemporaryFileUploadHandler
from rest_framework.parsers import DataAndFiles, MultiPartParser

from accounts.errors import InvalidRequest, TooLarge
from accounts.parsers import JsonObject
from generations.uploads import MAX_VIDEO_BYTES

CHUNK_BYTES = 256 * 1024
LONG_STRING_BYTES = 64 * 1024
FIELD = "base64_data"
OTHER_FIELDS_BYTES = 1024 * 1024
QUOTE_OR_ESCAPE = re.compile(rb'["\\]')
LONGEST_ESCAPE = len(r"\u002B")
WHITE_SPACE = dict.fromkeys(map(ord, " \t\r\n"))


@dataclass(frozen=True, kw_only=True)
class Base64Text:
    """The text between the quotes as it was sent, escapes included, in a file of its own."""

    raw: IO[bytes]

    def write(self, into: BinaryIO) -> None:
        """Decode plain base64 or a data URL, once. Raises InvalidRequest."""
        waiting = ""
        try:
            with self.raw:
                for text in self._after_the_data_url():
                    waiting += text
                    whole = len(waiting) - len(waiting) % 4
                    into.write(base64.b64decode(waiting[:whole], validate=True))
                    waiting = waiting[whole:]
                into.write(base64.b64decode(waiting + "=" * (-len(waiting) % 4), validate=True))
        except (binascii.Error, ValueError) as error:
            raise InvalidRequest("invalid_parameter", f"`{FIELD}` is not valid base64.", param=FIELD) from error

    def _after_the_data_url(self) -> Iterator[str]:
        pieces = self._unescaped()
        first = next(pieces, "")
        if first.startswith("data:"):
            head, comma, first = first.partition(",")
            if not comma or not head.endswith(";base64"):
                raise ValueError("not a data URL in base64")
        yield first
        yield from pieces

    def _unescaped(self) -> Iterator[str]:
        """JSON lets a writer escape any character, and some write `\\/`, `\\u002B` or `\\n`."""
        self.raw.seek(0)
        held = b""
        while chunk := self.raw.read(CHUNK_BYTES):
            held += chunk
            cut = held.rfind(b"\\", max(0, len(held) - LONGEST_ESCAPE + 1))
            whole, held = (held, b"") if cut < 0 else (held[:cut], held[cut:])
            yield _plain(whole)
        yield _plain(held)


class JsonWithFile(JsonObject):
    """A JSON object; its field `base64_data`, if it is a string, becomes a Base64Text."""

    max_bytes = MAX_VIDEO_BYTES * 4 // 3 + OTHER_FIELDS_BYTES

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:
        aside = _LongString()
        small = aside.read(stream, self.max_bytes)
        body = super().parse(io.BytesIO(small), media_type, parser_context)
        text = body.get(FIELD)
        if aside.mark is not None and text != aside.mark:
            raise too_large()
        if aside.mark is not None:
            body[FIELD] = Base64Text(raw=aside.raw)
        elif isinstance(text, str):
            body[FIELD] = Base64Text(raw=io.BytesIO(json.dumps(text)[1:-1].encode()))
        return body


class MultipartFile(MultiPartParser):
    """A form whose files go to the disk, whatever their size."""

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None) -> DataAndFiles:
        request = parser_context["request"]
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not length.isdigit() or int(length) > MAX_VIDEO_BYTES + OTHER_FIELDS_BYTES:
            raise too_large()
        request._request.upload_handlers = [TemporaryFileUploadHandler()]
        return super().parse(stream, media_type, parser_context)


class FilesOfForms(TemporaryFileUploadHandler):
    """Files in the forms of pages go to the disk, too, and a form is no larger than the largest file we take.

    A form is read before its page knows who sends it, so the files of somebody who is not signed in are passed over.
    """

    def handle_raw_input(
        self, input_data: Any, META: Any, content_length: int, boundary: str, encoding: str | None = None
    ) -> None:
        if content_length > MAX_VIDEO_BYTES + OTHER_FIELDS_BYTES:
            raise RequestDataTooBig("The form is larger than the largest file.")

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        user = getattr(self.request, "user", None)
        if user is None or not user.is_authenticated:
            raise SkipFile
        super().new_file(*args, **kwargs)


class _LongString:
    """Splits a JSON text as it comes: one string longer than `LONG_STRING_BYTES` goes to `raw`, `mark` in its place."""

    def __init__(self) -> None:
        self.mark: str | None = None
        self.raw: IO[bytes] = io.BytesIO()
        self._small = bytearray()
        self._opened_at: int | None = None  # where in `small` the present string began
        self._escaped = False
        self._aside = False

    def read(self, stream: IO[bytes], max_bytes: int) -> bytes:
        """The rest of the text. Raises TooLarge."""
        total = 0
        while chunk := stream.read(CHUNK_BYTES):
            total += len(chunk)
            if total > max_bytes:
                raise too_large()
            self._feed(chunk)
            if len(self._small) > OTHER_FIELDS_BYTES:
                raise too_large()
        return bytes(self._small)

    def _feed(self, chunk: bytes) -> None:
        at = 0
        while at < len(chunk):
            if self._escaped:
                self._put(chunk[at : at + 1])
                self._escaped, at = False, at + 1
                continue
            found = QUOTE_OR_ESCAPE.search(chunk, at)
            end = found.start() if found else len(chunk)
            self._put(chunk[at:end])
            if found:
                self._turn(found.group())
            at = end + 1

    def _turn(self, character: bytes) -> None:
        """A quote opens or closes a string; a backslash hides what comes after it."""
        if character == b"\\":
            self._put(character)
            self._escaped = self._opened_at is not None
        elif self._opened_at is None:
            self._small += character
            self._opened_at = len(self._small)
        else:
            self._small += character
            self._opened_at, self._aside = None, False

    def _put(self, piece: bytes) -> None:
        if self._aside:
            self.raw.write(piece)
            return
        self._small += piece
        start = self._opened_at
        if start is not None and self.mark is None and len(self._small) - start > LONG_STRING_BYTES:
            self.raw = tempfile.TemporaryFile(prefix="base64-")  # noqa: SIM115 — closed by Base64Text.write
            self.raw.write(self._small[start:])
            self.mark, self._aside = secrets.token_hex(16), True
            self._small[start:] = self.mark.encode()


def too_large() -> TooLarge:
    return TooLarge("file_too_large", f"A file must not exceed {MAX_VIDEO_BYTES // 2**20} MB.")


def _plain(raw: bytes) -> str:
    """Raises ValueError when the escapes are broken or the text is not ASCII."""
    return json.loads(f'"{raw.decode("ascii")}"').translate(WHITE_SPACE)
