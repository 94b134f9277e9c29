"""Elements and voices: what a create may say, deletion, and the voices that everybody has."""

import secrets
from typing import Any

from generations.sandbox.face import Caller
from generations.sandbox.kling.videos import callback_url
from generations.sandbox.orders import Fields, Media, Order
from generations.sandbox.refusals import Refusal
from generations.sandbox.store import Store, Task

VOICES = {
    "829824295735410756": "钓系女友",
    "829826751244537879": "温柔女声",
    "829826792415842333": "播报男声",
    "829826834144964676": "盐系少年",
    "829826884271091753": "撒娇女友",
}
TAGS = tuple(f"o_{number}" for number in range(101, 109))


def read(caller: Caller, body: Any) -> Order:
    fields = Fields(body)
    name = fields.text("element_name", longest=20, required=True)
    description = fields.text("element_description", longest=100, required=True)
    kind = fields.choice("reference_type", ("image_refer", "video_refer"), None)
    media = _images(fields) if kind == "image_refer" else _video(fields)
    voice_id = fields.text("element_voice_id", longest=64)
    if voice_id and voice_id not in VOICES:
        raise Refusal(1203, "element_voice_id not found")
    for tag in fields.rows("tag_list", most=8):
        tag.choice("tag_id", TAGS, None)
    order = Order(
        kind="element",
        model="element",
        callback_url=callback_url(fields),
        text=f"{name}\n{description}",
        media=media,
        plan={"name": name, "description": description, "reference_type": kind, "voice_id": voice_id},
    )
    fields.done()
    return order


def _images(fields: Fields) -> tuple[Media, ...]:
    images = fields.inner("element_image_list")
    urls = [images.url("frontal_image", required=True)]
    for row in images.rows("refer_images", least=1, most=3):
        urls.append(row.url("image_url", required=True))
        row.done()
    images.done()
    return tuple(Media(url=url, kind="image", part="element") for url in urls)


def _video(fields: Fields) -> tuple[Media, ...]:
    videos = fields.inner("element_video_list")
    (row,) = videos.rows("refer_videos", least=1, most=1)
    url = row.url("video_url", required=True)
    row.done()
    videos.done()
    return (Media(url=url, kind="video", part="element"),)


def make(store: Store, task: Task) -> None:
    """The element of a task that succeeded."""
    if task.kind != "element":
        return
    plan = task.plan
    plan["element_id"] = 800_000_000_000_000_000 + secrets.randbelow(10**17)
    store.add(
        "elements",
        id=plan["element_id"],
        account=task.account,
        name=plan["name"],
        description=plan["description"],
        kind=plan["reference_type"],
        voice_id=plan["voice_id"],
    )


def delete(caller: Caller, body: Any) -> str:
    """The task id of the deletion. 1203 for an element that the account does not have."""
    given = Fields(body).given.get("element_id")
    wanted = str(given)
    sql = "UPDATE elements SET is_deleted = 1 WHERE id = ? AND account = ? AND NOT is_deleted"
    known = wanted.isascii() and wanted.isdigit() and len(wanted) < 19
    if not known or caller.store.database.execute(sql, (int(wanted), caller.account.api_key)).rowcount == 0:
        raise Refusal(1203, "element_id not found")
    return wanted


def preset_voices() -> list[dict[str, Any]]:
    voices = [
        {"voice_id": voice_id, "voice_name": name, "trial_url": "", "owned_by": "kling"}
        for voice_id, name in VOICES.items()
    ]
    return [{"task_id": "0", "task_status": "succeed", "task_result": {"voices": voices}}]
