"""Reference media: fetch what the customer named, check it, and keep our own copy before anything is sent upstream.

A file that is wrong fails the task with a code, a plain sentence and the field. An address that does not answer in time
is left to the upstream to judge. Upstreams get a signed link to the checked copy, so that nobody can change the picture
after the check.
"""

import logging
import shutil
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from accounts.errors import InvalidRequest
from accounts.models import Organization
from generations import alerts, catalog, faces, files, lifecycle, media, safe_http
from generations.catalog.base import MediaKind, MediaRef
from generations.failures import Failure
from generations.media import ImageRule, MediaError
from generations.models import StoredFile, Task, TaskMedia

logger = logging.getLogger(__name__)
KEPT_AT_MOST = timedelta(days=1)  # far longer than any task lives; its end says the moment, an element keeps them
NO_FACE = "A clearly visible human face must be in {noun}."


class WrongMedia(Exception):
    """What the customer named cannot be used."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


def check_at_post(organization: Organization, references: tuple[MediaRef, ...]) -> dict[str, StoredFile]:
    """The organization's own uploads among the references, by their address.

    Refuses what is already known to be wrong, without any call: spelling, ownership, facts of those uploads.
    """
    own = {reference.url: files.own_file(reference.url) for reference in references}
    wanted = [file_id for file_id in own.values() if file_id is not None]
    uploads = files.alive(organization).in_bulk(wanted) if wanted else {}
    for reference in references:
        file_id = own[reference.url]
        if file_id in uploads:
            _check_upload(uploads[file_id], reference)
        elif file_id or files.is_ours(reference.url):
            raise InvalidRequest("media_url_not_allowed", "This file is not yours or is gone.", param=reference.param)
        else:
            _check_address(reference)
    return {url: uploads[file_id] for url, file_id in own.items() if file_id in uploads}


def prepare(task: Task) -> None:
    """Make our checked copy of everything the task refers to. Raises WrongMedia. Done twice = done once."""
    spec = catalog.find(task.model)
    assert spec is not None, f"{task} names a model that left the catalogue"
    deadline = time.monotonic() + settings.MEDIA_TIMEOUT_SECONDS
    for medium in task.media.filter(state=TaskMedia.State.WAITING).select_related("file").order_by("pk"):
        with tempfile.TemporaryDirectory(prefix="reference-") as folder:
            file = _checked_copy(task, medium, spec.media[medium.role], Path(folder), deadline)
        if spec.settlement and medium.role in spec.settlement.roles:
            _settle_length(task, medium, file)
        state = TaskMedia.State.READY if file else TaskMedia.State.UNREACHED
        TaskMedia.objects.filter(pk=medium.pk, state=TaskMedia.State.WAITING).update(state=state, file=file)


def _settle_length(task: Task, medium: TaskMedia, file: StoredFile | None) -> None:
    """The price depends on this video: without its length nothing is sent, and where it decides it is frozen."""
    if file is None or file.duration_seconds is None:
        message = "The video did not arrive in time, so that its length could not be measured."
        raise WrongMedia(Failure(code="video_probe_failed", message=message, param=medium.param))
    lifecycle.freeze_input_length(task, file.duration_seconds)


def _check_address(reference: MediaRef) -> None:
    try:
        safe_http.check_spelling(reference.url, https_only=False)
    except safe_http.AddressRefused as error:
        raise InvalidRequest("media_url_not_allowed", str(error), param=reference.param) from error


def _check_upload(upload: StoredFile, reference: MediaRef) -> None:
    wrong = media.verdict(files.facts(upload), reference.rule)
    if wrong is not None:
        raise InvalidRequest(wrong.request_code, wrong.message, param=reference.param)
    if upload.face is False and _must_have_face(reference.face):
        raise InvalidRequest("face_not_found", NO_FACE.format(noun=_noun(upload.is_video)), param=reference.param)


def _checked_copy(task: Task, medium: TaskMedia, kind: MediaKind, folder: Path, deadline: float) -> StoredFile | None:
    """Our copy as a stored file, or None when the address did not answer in time."""
    source = folder / "source"
    try:
        _bring(task, medium, kind, source, deadline)
        facts = media.read_image(source) if isinstance(kind.rule, ImageRule) else media.read_video(source)
        wrong = media.verdict(facts, kind.rule)
        if wrong is not None:
            raise wrong
        _check_face(medium, kind, source)
        return _keep(task, medium, kind, source, folder / "clean")
    except safe_http.TimedOut as error:
        logger.info("%s: %s did not answer in time: %s", task, medium.role, error)
        return None
    except safe_http.FetchError as error:
        raise WrongMedia(Failure(code="media_unreachable", message=_unreachable(error), param=medium.param)) from error
    except MediaError as error:
        raise WrongMedia(Failure(code=error.code, message=error.message, param=medium.param)) from error


def _bring(task: Task, medium: TaskMedia, kind: MediaKind, source: Path, deadline: float) -> None:
    """Write the customer's bytes to `source`: out of our storage when it is an upload, else from the address."""
    if medium.file is not None:
        try:
            with files.local_path(medium.file) as path:
                shutil.copyfile(path, source)
        except FileNotFoundError as error:
            gone = Failure(code="resource_not_found", message="The uploaded file is gone.", param=medium.param)
            raise WrongMedia(gone) from error
        return
    with source.open("wb") as into:
        left = max(0.1, deadline - time.monotonic())
        safe_http.download(medium.url, into, max_bytes=kind.rule.max_bytes, timeout_seconds=left)


def _check_face(medium: TaskMedia, kind: MediaKind, source: Path) -> None:
    if kind.face == "none" or (kind.face == "wanted" and settings.FACE_CHECK_OTHER_ANGLES == "off"):
        return
    is_video = not isinstance(kind.rule, ImageRule)
    if faces.video_has_face(source) if is_video else faces.has_face(source):
        return
    if _must_have_face(kind.face):
        message = NO_FACE.format(noun=_noun(is_video))
        raise WrongMedia(Failure(code="face_not_found", message=message, param=medium.param))
    alerts.tell("face-not-found", str(medium.task.organization), f"{medium}: no face in another angle; let pass.")


def _keep(task: Task, medium: TaskMedia, kind: MediaKind, source: Path, clean: Path) -> StoredFile:
    """Images are re-encoded (whatever hides behind the picture stays out), element videos brought to 1080p."""
    if isinstance(kind.rule, ImageRule):
        facts: media.ImageFacts | media.VideoFacts = media.clean_image(source, clean)
    elif task.type == Task.Type.ELEMENT:
        facts = media.to_1080p(source, clean)
    else:
        facts, clean = media.read_video(source), source
    return files.keep(
        task.organization,
        clean,
        facts,
        purpose=StoredFile.Purpose.REFERENCE,
        file_name=f"{medium.role}.{'jpg' if facts.format == 'jpeg' else facts.format}",
        task=task,
        expires_at=timezone.now() + KEPT_AT_MOST,
    )


def _must_have_face(face: str) -> bool:
    return face == "required" or (face == "wanted" and settings.FACE_CHECK_OTHER_ANGLES == "refuse")


def _noun(is_video: bool) -> str:
    return "the video" if is_video else "the image"


def _unreachable(error: safe_http.FetchError) -> str:
    if isinstance(error, safe_http.BadStatus):
        return f"The address answered with HTTP {error.status} instead of the file."
    return str(error)
