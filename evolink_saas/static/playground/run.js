// Run the form. Its idempotency key stays until an answer has come, so that pressing twice, or again after an answer
// was lost, buys once; a form that says something else gets a new one.
import { CHANGED, complain, field } from "./form.js";
import { ask, element, say } from "./net.js";
import { refreshHistory, showTask } from "./result.js";

export function startRun(form) {
  const button = document.getElementById("run"), key = form.elements.idempotency_key;
  let isRunning = false, uploads = 0;
  const refresh = () => { button.disabled = isRunning || uploads > 0; };
  form.addEventListener("playground:uploading", (event) => { uploads += event.detail; refresh(); });
  form.addEventListener(CHANGED, () => { if (!isRunning) key.value = fresh(); });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (isRunning || uploads > 0) return;
    isRunning = true;
    refresh();
    refuse("");
    try {
      const found = await ask(form.action, { method: "POST", body: new FormData(form) });
      if (found.ok) {
        key.value = fresh();
        showTask(found.text);
        refreshHistory();
      } else blame(form, found.data?.error ?? { message: say("no_answer") });
    } catch {
      refuse(say("no_answer"));
    } finally {
      isRunning = false;
      refresh();
    }
  });
}

function fresh() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// A refusal stands beside the field that it names, else under the button.
function blame(form, error) {
  const around = field(form, error.field);
  if (!around || around.hidden) {
    refuse(error.message, error.action_url);
    return;
  }
  const folded = around.closest("details");
  if (folded) folded.open = true;
  complain(around, error.message);
  (around.querySelector("textarea, select, input:not([type=hidden])") ?? around).focus();
}

function refuse(sentence, link) {
  const place = document.getElementById("refusal");
  place.replaceChildren();
  if (!sentence) return;
  const note = element("<p class=\"note-box bad\"><span></span></p>");
  note.firstChild.textContent = sentence;
  if (link) {
    const anchor = document.createElement("a");
    anchor.href = link;
    anchor.textContent = say("get_credits");
    note.firstChild.append(" ", anchor);
  }
  place.append(note);
}
