"""The simulated API answers as Kling documents it: both generations, elements, lists, ledgers, refusals."""

from typing import Any

import pytest

from generations.sandbox.store import API_KEY
from tests.generations.sandbox.bodies import (
    ELEMENTS,
    IMAGE,
    KEY,
    NEW_IMAGE,
    NEW_TEXT,
    NOWHERE,
    TEXT,
    element,
    frame,
    legacy,
    new_image,
    new_text,
    without,
)
from tests.generations.simulator import RunningSimulator, wait_for

SHOT = {"index": 1, "prompt": "a door", "duration": "5"}


def post(simulator: RunningSimulator, path: str, body: Any) -> dict[str, Any]:
    answer: dict[str, Any] = simulator.http.post(path, json=body, headers=KEY).json()
    return answer


def get(simulator: RunningSimulator, path: str) -> dict[str, Any]:
    answer: dict[str, Any] = simulator.http.get(path, headers=KEY).json()
    return answer


def test_a_new_task_from_create_to_result(simulator: RunningSimulator) -> None:
    created = post(simulator, NEW_TEXT, new_text("a", audio="native"))
    simulator.advance(600)
    row = get(simulator, "/tasks?external_task_ids=a")["data"][0]

    assert (created["code"], created["message"]) == (0, "SUCCEED")
    assert set(created["data"]) == {"id", "status", "create_time", "update_time", "external_id"}
    assert created["data"]["status"] == "submitted"
    assert (row["id"], row["status"], row["external_id"], row["message"]) == (
        created["data"]["id"],
        "succeeded",
        "a",
        "",
    )
    assert row["outputs"] == [
        {
            "type": "video",
            "id": f"{row['id']}1",
            "url": f"{simulator.url}/results/{row['id']}.mp4",
            "watermark_url": "",
            "duration": "5.0",
        }
    ]
    assert row["billing"] == [
        {
            "charge_type": "unit",
            "cash_type": "",
            "amount": "4.5",
            "currency": "",
            "package_type": "video",
            "list_price": "4.5",
        }
    ]


def test_a_legacy_task_is_found_by_either_id(simulator: RunningSimulator) -> None:
    created = post(simulator, TEXT, legacy("a"))["data"]
    simulator.advance(600)
    by_ours, by_theirs = (get(simulator, f"{TEXT}/{name}")["data"] for name in ("a", created["task_id"]))

    assert (created["task_status"], created["task_info"]) == ("submitted", {"external_task_id": "a"})
    assert by_ours == by_theirs
    assert (by_ours["task_status"], by_ours["final_unit_deduction"]) == ("succeed", "3")
    assert by_ours["task_result"]["videos"][0]["url"] == f"{simulator.url}/results/{created['task_id']}.mp4"


def test_the_generations_do_not_see_each_others_tasks(simulator: RunningSimulator) -> None:
    post(simulator, TEXT, legacy("a"))
    post(simulator, NEW_TEXT, new_text("b"))

    assert get(simulator, "/tasks?external_task_ids=a")["data"] == []
    assert get(simulator, f"{TEXT}/b")["code"] == 1203


def test_a_task_is_submitted_then_processing_then_ended(simulator: RunningSimulator) -> None:
    simulator.do("settings", speed=1)
    post(simulator, NEW_TEXT, new_text("a"))
    seen = []
    for seconds in (0, 20, 120):
        simulator.advance(seconds)
        seen.append(get(simulator, "/tasks?external_task_ids=a")["data"][0]["status"])

    assert seen == ["submitted", "processing", "succeeded"]


def test_an_element_is_made_used_and_deleted(simulator: RunningSimulator) -> None:
    post(simulator, ELEMENTS, element("a"))
    simulator.advance(60)
    wait_for(lambda: get(simulator, f"{ELEMENTS}/a")["data"]["task_status"] == "succeed")
    (made,) = get(simulator, f"{ELEMENTS}/a")["data"]["task_result"]["elements"]
    element_id = made["element_id"]
    used = new_image(frame(), {"type": "element", "element_id": str(element_id), "id": "Ada"})

    assert isinstance(element_id, int)
    assert made["element_name"] == "Ada"
    assert post(simulator, NEW_IMAGE, used)["code"] == 0
    assert post(simulator, IMAGE, legacy(image=NOWHERE, element_list=[{"element_id": element_id}]))["code"] == 0
    assert post(simulator, IMAGE, legacy(image=NOWHERE, element_list=[{"element_id": str(element_id)}]))["code"] == 1201
    assert post(simulator, "/v1/general/delete-advanced-elements", {"element_id": element_id})["code"] == 0
    assert post(simulator, "/v1/general/delete-advanced-elements", {"element_id": element_id})["code"] == 1203
    assert post(simulator, NEW_IMAGE, used)["code"] == 1203


def test_another_accounts_element_cannot_be_used(simulator: RunningSimulator) -> None:
    simulator.do("accounts", api_key="other")
    post(simulator, ELEMENTS, element("a"))
    simulator.advance(60)
    wait_for(lambda: get(simulator, f"{ELEMENTS}/a")["data"]["task_status"] == "succeed")
    (made,) = get(simulator, f"{ELEMENTS}/a")["data"]["task_result"]["elements"]
    body = new_image(frame(), {"type": "element", "element_id": str(made["element_id"]), "id": "Ada"})
    other = {"Authorization": "Bearer other"}

    assert simulator.http.post(NEW_IMAGE, json=body, headers=other).json()["code"] == 1203
    assert simulator.http.get(f"{ELEMENTS}/a", headers=other).json()["code"] == 1203


def test_the_preset_voices_are_listed(simulator: RunningSimulator) -> None:
    (task,) = get(simulator, "/v1/general/presets-voices")["data"]

    assert [voice["voice_id"] for voice in task["task_result"]["voices"]] == [
        "829824295735410756",
        "829826751244537879",
        "829826792415842333",
        "829826834144964676",
        "829826884271091753",
    ]


@pytest.mark.parametrize("query", ["", "?task_ids=1&external_task_ids=2", "?task_ids="])
def test_a_batch_query_takes_exactly_one_kind_of_id(simulator: RunningSimulator, query: str) -> None:
    assert get(simulator, f"/tasks{query}")["code"] == 1201


def test_the_cursor_list_walks_all_tasks_newest_first(simulator: RunningSimulator) -> None:
    ids = [post(simulator, NEW_TEXT, new_text(name))["data"]["id"] for name in "abc"]
    first = post(simulator, "/tasks", {"limit": 2})["data"]
    second = post(simulator, "/tasks", {"limit": 2, "cursor": first["next_cursor"]})["data"]

    assert [row["id"] for row in first["result"] + second["result"]] == sorted(ids, reverse=True)
    assert (first["count"], first["has_more"], second["count"], second["has_more"]) == (2, True, 1, False)


def test_the_cursor_list_filters_by_status_and_time(simulator: RunningSimulator) -> None:
    post(simulator, NEW_TEXT, new_text("a"))
    simulator.advance(600)
    post(simulator, NEW_TEXT, new_text("b"))

    def listed(**body: Any) -> list[str]:
        return [row["external_id"] for row in post(simulator, "/tasks", body)["data"]["result"]]

    assert listed(filters=[{"key": "status", "values": ["succeeded"]}]) == ["a"]
    assert listed(start_time="0", end_time="1000") == []
    assert post(simulator, "/tasks", {"limit": 501})["code"] == 1201


def test_the_legacy_list_has_pages(simulator: RunningSimulator) -> None:
    for name in "abc":
        post(simulator, TEXT, legacy(name))
        simulator.advance(1)  # ids of one millisecond have no order
    pages = [get(simulator, f"{TEXT}?pageNum={page}&pageSize=2")["data"] for page in (1, 2)]

    assert [[row["task_info"]["external_task_id"] for row in page] for page in pages] == [["c", "b"], ["a"]]


def test_the_accounts_ledger_is_told_by_time_and_page(simulator: RunningSimulator) -> None:
    made = [post(simulator, NEW_TEXT, new_text(name))["data"]["id"] for name in "abc"]
    simulator.advance(600)
    path, now = "/account/billing/package", simulator.see("health")["now"] * 1000

    def lines(**asked: Any) -> tuple[list[str], str]:
        data = post(simulator, path, asked)["data"]
        return [line["task_id"] for line in data["result"]["detail"]], data["next_cursor"]

    everything, nothing_more = lines()
    assert (sorted(everything), nothing_more) == (sorted(made), "")
    first, cursor = lines(limit=2)
    assert (first, lines(limit=2, cursor=cursor)) == (everything[:2], (everything[2:], ""))
    assert lines(end_time=str(round(now) - 3_600_000)) == ([], "")
    assert lines(start_time=str(round(now) - 3_600_000), end_time=str(round(now))) == (everything, "")
    for limit in (0, 501):
        assert post(simulator, path, {"limit": limit})["code"] == 1201


def test_the_ledger_can_be_made_to_differ_from_what_was_made(simulator: RunningSimulator) -> None:
    made = [post(simulator, NEW_TEXT, new_text(name))["data"]["id"] for name in "abc"]
    simulator.advance(600)
    simulator.do("misbook", external_id="a", units=4.5)
    simulator.do("misbook", task_id=made[1], units=None)
    (unknown,) = simulator.do("misbook", unknown=True, units=1)["misbooked"]

    shown = {
        line["task_id"]: line["deduction_amount"]
        for line in post(simulator, "/account/billing/package", {})["data"]["result"]["detail"]
    }
    assert shown == {made[0]: "4.5", made[2]: "3", unknown: "1"}
    assert simulator.do("misbook", external_id="nobody", units=1) == {"misbooked": []}
    simulator.do("reset")
    assert post(simulator, "/account/billing/package", {})["data"]["result"]["detail"] == []


def test_the_accounts_ledger_has_a_line_for_each_success_only(simulator: RunningSimulator) -> None:
    simulator.do("accounts", api_key=API_KEY, units=100)
    made = post(simulator, NEW_TEXT, new_text("a"))["data"]["id"]
    post(simulator, NEW_TEXT, new_text("b", prompt="x [sim:fail content]"))
    simulator.advance(600)
    ledger = post(simulator, "/account/billing/package", {})["data"]

    assert ledger == {
        "result": {
            "detail": [
                {
                    "task_id": made,
                    "model_name": "kling-3.0",
                    "resolution": "720p",
                    "duration": "5.0",
                    "video_sound": "off",
                    "deduction_amount": "3",
                    "balance_before": "100",
                    "balance_after": "97",
                    "list_price": "3",
                    "currency": "",
                }
            ]
        },
        "next_cursor": "",
        "has_more": False,
    }
    assert post(simulator, "/account/billing/balance", {})["data"]["result"]["detail"] == []
    (pack,) = get(simulator, "/account/costs")["data"]["resource_pack_subscribe_infos"]
    assert pack["remaining_quantity"] == 97


@pytest.mark.parametrize(
    ("method", "path"),
    [("DELETE", "/tasks"), ("POST", "/tasks/1/cancel"), ("PUT", f"{TEXT}/1"), ("GET", NEW_TEXT), ("GET", "/nothing")],
)
def test_there_is_no_cancel_and_nothing_undocumented(simulator: RunningSimulator, method: str, path: str) -> None:
    response = simulator.http.request(method, path, headers=KEY)

    assert (response.status_code, response.json()["code"]) == (404, 1202)


BAD = {
    "not json": (NEW_TEXT, "text"),
    "no prompt": (NEW_TEXT, {"settings": {}}),
    "blank prompt": (NEW_TEXT, new_text(prompt=" ")),
    "long prompt": (NEW_TEXT, new_text(prompt="x" * 3073)),
    "negative prompt is legacy": (NEW_TEXT, new_text() | {"negative_prompt": "rain"}),
    "duration as text": (NEW_TEXT, new_text(duration="5")),
    "duration 2": (NEW_TEXT, new_text(duration=2)),
    "duration 16": (NEW_TEXT, new_text(duration=16)),
    "duration true": (NEW_TEXT, new_text(duration=True)),
    "audio on": (NEW_TEXT, new_text(audio="on")),
    "resolution": (NEW_TEXT, new_text(resolution="std")),
    "ratio": (NEW_TEXT, new_text(aspect_ratio="4:3")),
    "multi_shot": (NEW_TEXT, new_text(multi_shot="true")),
    "callback": (NEW_TEXT, {"prompt": "x", "options": {"callback_url": "ftp://x"}}),
    "no contents": (NEW_IMAGE, new_image()),
    "last frame only": (NEW_IMAGE, new_image(frame("last_frame"))),
    "two first frames": (NEW_IMAGE, new_image(frame(), frame())),
    "two prompts": (NEW_IMAGE, new_image(frame(), *[{"type": "prompt", "text": "x"}] * 2)),
    "image ratio": (NEW_IMAGE, new_image(frame(), aspect_ratio="16:9")),
    "legacy duration as number": (TEXT, legacy(duration=5)),
    "legacy mode": (TEXT, legacy(mode="720p")),
    "legacy sound": (TEXT, legacy(sound="native")),
    "legacy no prompt": (TEXT, without(legacy(), "prompt")),
    "legacy prompt": (TEXT, legacy(prompt="x" * 2501)),
    "no shot type": (TEXT, legacy(multi_shot=True)),
    "shots of 4 s in 5": (
        TEXT,
        legacy(multi_shot=True, shot_type="customize", multi_prompt=[SHOT | {"duration": "4"}]),
    ),
    "shot index": (TEXT, legacy(multi_shot=True, shot_type="customize", multi_prompt=[SHOT | {"index": 2}])),
    "no image": (IMAGE, legacy()),
    "image of text": (IMAGE, legacy(image="start.png")),
    "no element name": (ELEMENTS, without(element(), "element_name")),
    "long element name": (ELEMENTS, element(element_name="x" * 21)),
    "no angle": (ELEMENTS, element(element_image_list={"frontal_image": NOWHERE, "refer_images": []})),
    "video list missing": (ELEMENTS, element(reference_type="video_refer")),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_field_is_refused_and_makes_nothing(simulator: RunningSimulator, case: str) -> None:
    path, body = BAD[case]
    response = simulator.http.post(path, json=body, headers=KEY)

    assert (response.status_code, response.json()["code"]) == (400, 1201)
    assert "data" not in response.json()
    assert simulator.see("tasks")["tasks"] == []


def test_shots_that_add_up_are_taken(simulator: RunningSimulator) -> None:
    body = legacy(multi_shot=True, shot_type="customize", multi_prompt=[SHOT])

    assert post(simulator, TEXT, without(body, "prompt"))["code"] == 0


def test_an_unknown_model_is_not_found(simulator: RunningSimulator) -> None:
    answer = post(simulator, TEXT, legacy(model_name="kling-v9"))

    assert (answer["code"], "model" in answer["message"]) == (1203, True)
