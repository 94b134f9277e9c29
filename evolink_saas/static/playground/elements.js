// Elements are chosen by their pictures, a few at most; each is named in the prompt by its number.
import { CHANGED, announce } from "./form.js";
import { say } from "./net.js";

export function startElements(form) {
  for (const around of form.querySelectorAll("[data-elements]")) {
    const boxes = [...around.querySelectorAll("input[type=checkbox]")];
    const refresh = () => {
      const chosen = boxes.filter((box) => box.checked);
      const isFull = chosen.length >= Number(around.dataset.elements);
      for (const box of boxes) {
        box.disabled = isFull && !box.checked;
        box.parentElement.querySelector(".order").textContent = box.checked ? chosen.indexOf(box) + 1 : "";
      }
    };
    around.addEventListener("change", refresh);
    refresh();
  }
  form.addEventListener(CHANGED, () => offerNames(form));
  offerNames(form);
}

// Buttons under the prompt that write <<<element_1>>> where the cursor stands.
function offerNames(form) {
  const chosen = form.querySelectorAll("[data-elements]:not([hidden]) input:checked").length;
  for (const place of form.querySelectorAll("[data-tokens]")) {
    if (place.children.length === chosen) continue;
    place.replaceChildren(...Array.from({ length: chosen }, (_, number) => button(place, number + 1)));
  }
}

function button(place, number) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "button quiet small";
  made.textContent = `+ ${say("element", { number })}`;
  made.addEventListener("click", () => {
    const prompt = document.getElementById(place.dataset.tokens);
    prompt.setRangeText(`<<<element_${number}>>>`, prompt.selectionStart, prompt.selectionEnd, "end");
    announce(prompt);
    prompt.focus();
  });
  return made;
}
