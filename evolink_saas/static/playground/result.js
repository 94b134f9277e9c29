// The pane of one task: asked for again while the task runs and the page is seen, then played. And the history.
import { ask, element } from "./net.js";
import { showTab } from "./tabs.js";

const FIRST_WAIT = 2000, LONGEST_WAIT = 10000, GROWTH = 1.15;
const pane = () => document.getElementById("pane");
const history_ = () => document.getElementById("history");
let waiting = 0;

export function startResult() {
  follow();
  document.addEventListener("visibilitychange", () => { if (!document.hidden) look(FIRST_WAIT); });
  document.addEventListener("click", show);
  document.addEventListener("submit", cancel);
  document.addEventListener("change", limit);
}

export function showTask(html) {
  pane().replaceChildren(element(html));
  showTab("tab-result");
  pane().scrollIntoView({ block: "nearest" });
  follow();
}

export async function refreshHistory() {
  const found = await ask(history_().dataset.from).catch(() => ({ ok: false }));
  if (!found.ok || history_().querySelector(":focus, :checked")) return;
  history_().replaceChildren(element(found.text));
}

function task() {
  return pane().querySelector("[data-task]");
}

function isOpen(one) {
  return one?.dataset.open === "true";
}

function follow(wait = FIRST_WAIT) {
  clearTimeout(waiting);
  const runs = isOpen(task()) || history_().querySelector("[data-status=pending], [data-status=processing]");
  if (runs) waiting = setTimeout(() => look(wait), wait);
}

async function look(wait) {
  if (document.hidden) return;
  const before = task();
  if (isOpen(before)) {
    const found = await ask(before.dataset.from).catch(() => ({ ok: false }));
    if (found.ok && task() === before) {
      const fresh = element(found.text);
      if (!before.contains(document.activeElement) || !isOpen(fresh)) before.replaceWith(fresh);
    }
  }
  if (!isOpen(before) || !isOpen(task()) || wait > FIRST_WAIT * 2) await refreshHistory();
  follow(Math.min(LONGEST_WAIT, wait * GROWTH));
}

// A task of the history is shown beside the form, which stays as it is.
async function show(event) {
  const link = event.target.closest("[data-shows]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const address = history_().dataset.from.replace(/history$/, `tasks/${link.dataset.shows}`);
  const found = await ask(address).catch(() => ({ ok: false }));
  if (!found.ok) {
    location.href = link.href;
    return;
  }
  showTask(found.text);
}

async function cancel(event) {
  if (!("cancels" in event.target.dataset)) return;
  event.preventDefault();
  const found = await ask(event.target.action, { method: "POST" }).catch(() => ({ ok: false }));
  if (found.ok) showTask(found.text);
  else look(FIRST_WAIT);
  refreshHistory();
}

// So many are compared at once, and no more.
function limit(event) {
  if (!event.target.closest(".history-list")) return;
  const boxes = [...history_().querySelectorAll("input[type=checkbox]")];
  const isFull = boxes.filter((box) => box.checked).length >= Number(history_().dataset.most);
  for (const box of boxes) box.disabled = isFull && !box.checked;
}
