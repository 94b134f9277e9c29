"""What the customer buys, what is refused and what fails; and everything that must be true of it."""

import time
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.progress import TaskID

from evolink_saas.demo_run import photos
from evolink_saas.demo_run.claims import DemoFailed, require
from evolink_saas.demo_run.customer import Customer
from evolink_saas.demo_run.installation import Installation
from evolink_saas.demo_run.receipt import Line, Receipt, shown
from evolink_saas.demo_run.receiver import Receiver
from evolink_saas.demo_run.stage import Stage
from generations import media

LONGEST_SECONDS, LOOK_SECONDS = 120, 0.3
LENGTH_TOLERANCE_SECONDS = Decimal("0.1")
TEXT_TO_VIDEO = {
    "model": "kling-v3-text-to-video",
    "prompt": "A paper boat on a quiet lake at dawn",
    "duration": 5,
    "quality": "720p",
    "sound": "on",
}
REFUSED_BY_CONTENT = {
    "model": "kling-v3-text-to-video",
    "prompt": "Something that the provider does not like [sim:fail content]",
    "duration": 3,
}


@dataclass(kw_only=True)
class Order:
    title: str
    body: dict[str, Any]
    task: dict[str, Any]
    bar: TaskID
    file: str = ""

    @property
    def is_open(self) -> bool:
        return self.task["status"] in ("pending", "processing")


class Story:
    def __init__(
        self, gateway: Installation, keys: tuple[str, str], receiver: Receiver, home: Path, stage: Stage
    ) -> None:
        self.gateway, self.receiver, self.home, self.stage = gateway, receiver, home, stage
        self.customer, self.poor = (Customer(gateway.url, key) for key in keys)
        self.secret = self.customer.webhook_secret()
        self.orders: list[Order] = []

    def tell(self) -> Receipt:
        """Buy everything and check it; what it cost."""
        opening = self.customer.credits()
        self.stage.say(f"The customer has {shown(opening)} credits, and uploads two photographs of one face.")
        frontal, other = (self.customer.upload(photo) for photo in photos.write(self.gateway.folder))
        element = self.order("element", element_of(frontal, other))
        text = self.order("text to video", TEXT_TO_VIDEO)
        failing = self.order("failing video", REFUSED_BY_CONTENT)
        refused = self.lack_credits()
        self.wait_for(element)
        element_id = self.completed(element)["result_data"]["element_id"]
        self.stage.say(f"Element {element_id} is ready: a video with it, from a first frame.")
        image = self.order("image to video", video_with(element_id, frontal))
        self.wait_for(image, text, failing)
        self.receive(image, "image-to-video.mp4")
        self.receive(text, "text-to-video.mp4")
        self.refunded(failing)
        self.called_back()
        lines = [Line.of(order.title, order.task, order.file) for order in self.orders]
        return Receipt(lines=[*lines, refused], opening=opening, closing=self.customer.credits())

    def order(self, title: str, body: dict[str, Any]) -> Order:
        task = self.customer.order(body | {"callback_url": self.receiver.url})
        self.stage.say(f"Ordered: {title}, {shown(credits_of(task, 'reserved'))} reserved.")
        order = Order(title=title, body=body, task=task, bar=self.stage.bar(title))
        self.orders.append(order)
        return order

    def wait_for(self, *orders: Order) -> None:
        """Follow every open order until these have ended."""
        deadline = time.monotonic() + LONGEST_SECONDS
        while any(order.is_open for order in orders):
            require(time.monotonic() < deadline, f"Not all tasks ended within {LONGEST_SECONDS} seconds.")
            time.sleep(LOOK_SECONDS)
            self.gateway.stack.tend()
            for order in self.orders:
                if order.is_open:
                    self.look(order)

    def look(self, order: Order) -> None:
        order.task = self.customer.task(order.task["id"])
        if order.is_open:
            self.stage.show(order.bar, order.task["status"], order.task["progress"])
        else:
            self.stage.end(order.bar, order.task["status"])

    def lack_credits(self) -> Line:
        """Another organization asks for more than it has."""
        before = self.poor.credits()
        error = self.poor.refused(TEXT_TO_VIDEO, status=402)
        code = error["code"]
        needed, there = Decimal(error["estimated_credits"]), Decimal(error["account_balance_credits"])
        require(code == "account_balance_insufficient", f"The order without credits was refused with {code}.")
        require(there == before < needed, f"The refusal told {there} and {needed} credits; there were {before}.")
        require(self.poor.credits() == before, "The refused order changed the balance.")
        self.stage.say(
            f"Refused with 402: another organization has {shown(before)} of {shown(Decimal(needed))} credits."
        )
        return Line(title="without credits", status="refused: 402")

    def completed(self, order: Order) -> dict[str, Any]:
        require(order.task["status"] == "completed", f"{order.title} ended as {order.task['status']}: {order.task}")
        return order.task

    def receive(self, order: Order, name: str) -> None:
        """Download the video, and see whether it is what was ordered."""
        task, path = self.completed(order), self.home / name
        self.customer.download(task["results"][0], path)
        try:
            facts = media.read_video(path)
        except media.MediaError as error:
            raise DemoFailed(f"{path} does not play: {error}") from error
        wanted = order.body
        told = task["result_data"][0]
        length_fits = abs(facts.duration_seconds - wanted["duration"]) <= LENGTH_TOLERANCE_SECONDS
        require(length_fits, f"{name} has {facts.duration_seconds} seconds in place of {wanted['duration']}.")
        require(min(facts.width, facts.height) == int(wanted["quality"].removesuffix("p")), f"{name} has another size.")
        require(facts.has_audio == (wanted["sound"] == "on"), f"{name} has sound or not, against the order.")
        require((told["width"], told["height"]) == (facts.width, facts.height), f"{name} is not as large as told.")
        order.file = name
        sound = "with sound" if facts.has_audio else "silent"
        length, size = f"{facts.duration_seconds.normalize():f} s", f"{facts.width} x {facts.height}"
        self.stage.say(f"{path} plays: {length}, {size}, {facts.fps:.0f} frames a second, {sound}.")

    def refunded(self, order: Order) -> None:
        task = order.task
        require(task["status"] == "failed", f"The order that must fail ended as {task['status']}.")
        code, back = task["error"]["code"], credits_of(task, "refunded")
        require(code == "content_policy_violation", f"The order failed with {code}.")
        require(task["billing"]["refund_status"] == "completed", "The failed task is not refunded.")
        require(back == credits_of(task, "reserved"), "The failed task is not refunded in full.")
        self.stage.say(f"Failed with {code}: {shown(back)} credits came back.")

    def called_back(self) -> None:
        """Every task must have told its end, in a message with a valid signature."""
        for order in self.orders:
            told = self.receiver.message(order.task["id"], self.secret)
            require(told["status"] == order.task["status"], f"The callback of {order.title} told {told['status']}.")
        self.stage.say(
            f"{len(self.orders)} callbacks came over HTTPS to {self.receiver.url}; every signature is valid."
        )


def element_of(frontal: str, other: str) -> dict[str, Any]:
    return {
        "model": "kling-custom-element",
        "model_params": {
            "element_name": "Eileen",
            "element_description": "An astronaut in an orange suit",
            "reference_type": "image_refer",
            "element_image_list": {"frontal_image": frontal, "refer_images": [{"image_url": other}]},
        },
    }


def video_with(element_id: str, first_frame: str) -> dict[str, Any]:
    return {
        "model": "kling-v3-image-to-video",
        "prompt": "<<<element_1>>> smiles and waves at the camera",
        "image_start": first_frame,
        "duration": 5,
        "quality": "1080p",
        "sound": "off",
        "model_params": {"element_list": [{"element_id": element_id}]},
    }


def credits_of(task: dict[str, Any], column: str) -> Decimal:
    return Decimal(task["billing"][f"{column}_credits"])
