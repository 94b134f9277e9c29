// What pages do beyond HTML. Everything works without it, only less conveniently. Marked in the HTML by attributes:
//   data-opens="id"        a button opens the <dialog> with that id; data-closes closes the one it stands in
//   data-copy="id"         a button copies the text of the element with that id, and says so (data-done="…")
//   data-toggles           a button turns its aria-expanded over (the style sheet shows what it controls)
//   data-submits           a control sends its form as soon as it changes
//   data-confirm="…"       a form asks first
//   data-refresh="5"       an element with an id fetches its page anew every so many seconds and takes its new self
//   data-counts="id"       a text field says in that element how many characters it has (of its maxlength)

const root = document.documentElement;
root.classList.remove("no-script");

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button, [role=button]");
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
  if (!button) return;
  if (button.dataset.opens) document.getElementById(button.dataset.opens)?.showModal();
  if ("closes" in button.dataset) {
    const around = button.closest("dialog, .toast");
    if (around instanceof HTMLDialogElement) around.close();
    else around?.remove();
  }
  if ("toggles" in button.dataset) {
    const open = button.getAttribute("aria-expanded") !== "true";
    button.setAttribute("aria-expanded", String(open));
  }
  if (button.dataset.copy) await copy(button);
});

async function copy(button) {
  const source = document.getElementById(button.dataset.copy);
  const text = source.value ?? source.textContent;
  try {
    await navigator.clipboard.writeText(text.trim());
  } catch {
    const range = document.createRange();
    range.selectNodeContents(source);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    return;
  }
  const label = button.querySelector("[data-label]") ?? button;
  const before = label.textContent;
  label.textContent = button.dataset.done;
  setTimeout(() => { label.textContent = before; }, 2000);
}

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submits]")) event.target.form.requestSubmit();
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.confirm && !confirm(form.dataset.confirm)) event.preventDefault();
});

document.addEventListener("input", (event) => {
  if (event.target.dataset?.counts) count(event.target);
});

function count(field) {
  document.getElementById(field.dataset.counts).textContent = `${[...field.value].length} / ${field.maxLength}`;
}

for (const field of document.querySelectorAll("[data-counts]")) count(field);

export async function refresh(element) {
  const answer = await fetch(element.dataset.from || location.href, { headers: { "X-Part": element.id } });
  if (!answer.ok || answer.redirected) return element;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById(element.id);
  if (!fresh || element.contains(document.activeElement)) return element;
  element.replaceWith(fresh);
  return fresh;
}

function keepFresh(element) {
  const seconds = Number(element.dataset.refresh);
  if (!seconds) return;
  setTimeout(async () => {
    const fresh = document.hidden ? element : await refresh(element).catch(() => element);
    keepFresh(fresh);
  }, seconds * 1000);
}

for (const element of document.querySelectorAll("[data-refresh]")) keepFresh(element);
for (const dialog of document.querySelectorAll("dialog[data-open]")) dialog.showModal();

// Where the screen is narrow: the newest end of a chart, and the tab that is open.
for (const chart of document.querySelectorAll(".scroll > .chart")) chart.parentElement.scrollLeft = chart.parentElement.scrollWidth;
for (const tab of document.querySelectorAll(".tabs [aria-current]")) tab.parentElement.scrollLeft = tab.offsetLeft - tab.parentElement.offsetLeft - 40;
