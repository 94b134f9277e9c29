// The shots of a video: their seconds always make its length. Changing one changes the length; changing the length
// gives or takes the seconds of the last shots.
import { announce } from "./form.js";
import { say } from "./net.js";

export function startShots(form) {
  for (const around of form.querySelectorAll("[data-shots]")) startEditor(form, around);
}

function startEditor(form, around) {
  const list = around.querySelector("ol"), foot = around.querySelector("[data-foot]");
  const length = form.querySelector("input[name=duration]");
  const editor = { around, list, foot, length, most: Number(around.dataset.shots), pattern: list.lastElementChild.cloneNode(true) };
  foot.hidden = false;
  if (seconds(editor).every((box) => !box.value)) share(editor, Number(length.value));
  foot.querySelector("[data-adds]").addEventListener("click", () => add(editor));
  list.addEventListener("click", (event) => {
    const button = event.target.closest("[data-removes]");
    if (button) remove(editor, button.closest("li"));
  });
  list.addEventListener("input", (event) => { if (event.target.type === "number") follow(editor); });
  length.addEventListener("input", () => { if (!around.hidden && length.value) fit(editor, Number(length.value)); });
  number(editor);
}

function seconds(editor) {
  return [...editor.list.querySelectorAll("input[type=number]")];
}

function sum(editor) {
  return seconds(editor).reduce((total, box) => total + (Number(box.value) || 0), 0);
}

function share(editor, total) {
  const boxes = seconds(editor), each = Math.floor(total / boxes.length);
  boxes.forEach((box, place) => { box.value = Math.max(1, place ? each : total - each * (boxes.length - 1)); });
}

function add(editor) {
  if (editor.list.children.length >= editor.most) return;
  const shot = editor.pattern.cloneNode(true);
  shot.querySelector("textarea").value = "";
  shot.querySelector("input").value = 1;
  editor.list.append(shot);
  const longest = seconds(editor).reduce((a, b) => (Number(b.value) > Number(a.value) ? b : a));
  if (sum(editor) > Number(editor.length.max) && Number(longest.value) > 1) longest.value = Number(longest.value) - 1;
  number(editor);
  follow(editor);
  shot.querySelector("textarea").focus();
}

function remove(editor, shot) {
  shot.remove();
  number(editor);
  follow(editor);
  editor.foot.querySelector("[data-adds]").focus();
}

// The length becomes the sum of the shots, as far as the model goes.
function follow(editor) {
  const total = Math.min(Number(editor.length.max), Math.max(Number(editor.length.min), sum(editor)));
  if (Number(editor.length.value) !== total) {
    editor.length.value = total;
    const slider = editor.length.parentElement.querySelector("input[type=range]");
    if (slider) slider.value = total;
  }
  tell(editor);
  announce(editor.around);
}

function fit(editor, total) {
  let rest = total - sum(editor);
  for (const box of seconds(editor).reverse()) {
    const fitting = Math.max(1, (Number(box.value) || 0) + rest);
    rest -= fitting - Number(box.value);
    box.value = fitting;
    if (!rest) break;
  }
  tell(editor);
}

function tell(editor) {
  const total = sum(editor), duration = Number(editor.length.value);
  const place = editor.foot.querySelector("[data-sum]");
  place.textContent = say("shots_add_up", { sum: total, duration });
  place.classList.toggle("wrong", total !== duration);
}

function number(editor) {
  const shots = [...editor.list.children];
  shots.forEach((shot, place) => {
    const name = say("shot", { number: place + 1 });
    for (const input of shot.querySelectorAll("textarea, input")) {
      input.setAttribute("aria-label", input.type === "number" ? `${name}: s` : name);
    }
    const button = shot.querySelector("[data-removes]");
    button.hidden = shots.length === 1;
    button.setAttribute("aria-label", say("remove", { name }));
  });
  editor.foot.querySelector("[data-adds]").disabled = shots.length >= editor.most;
  tell(editor);
}
