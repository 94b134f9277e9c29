// Which fields go with which answers, sliders beside their numbers, and what is said beside a field.
// data-when="name=value" shows a field while that field has that answer; data-unless hides it then.

export const CHANGED = "playground:changed";

export function startForm(form) {
  for (const slider of form.querySelectorAll("[data-slides]")) {
    const number = document.getElementById(slider.dataset.slides);
    slider.addEventListener("input", () => { number.value = slider.value; announce(number); });
    number.addEventListener("input", () => { slider.value = number.value; });
  }
  form.addEventListener("input", (event) => {
    showWhatGoes(form);
    const field = event.target.closest("[data-field]");
    if (field) complain(field, "");
    form.dispatchEvent(new CustomEvent(CHANGED));
  });
  showWhatGoes(form);
}

export function announce(input) {
  input.dispatchEvent(new Event("input", { bubbles: true }));
}

export function field(form, name) {
  return name ? form.querySelector(`[data-field="${CSS.escape(name)}"]`) : null;
}

export function complain(around, sentence) {
  around.querySelector("[data-error]").textContent = sentence;
  for (const input of around.querySelectorAll("input:not([type=hidden]), textarea, select")) {
    if (sentence) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  }
}

function showWhatGoes(form) {
  const fields = [...form.querySelectorAll("[data-field]")];
  const isThere = (one) => pairs(one.dataset.when).every(holds) && !pairs(one.dataset.unless).some(holds);
  const holds = ([name, value]) => {
    const one = field(form, name);
    return Boolean(one) && isThere(one) && answer(one, name) === value;
  };
  for (const one of fields) one.hidden = !isThere(one);
}

function pairs(text) {
  return (text ?? "").split(" ").filter(Boolean).map((pair) => pair.split("="));
}

function answer(around, name) {
  const box = around.querySelector("input[type=checkbox]");
  if (box) return String(box.checked);
  return around.querySelector(`input[type=radio][name="${CSS.escape(name)}"]:checked`)?.value ?? "";
}
