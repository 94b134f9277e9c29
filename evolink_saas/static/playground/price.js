// The price and the code of the form as it stands, asked for when one stops typing for a moment.
import { CHANGED } from "./form.js";
import { ask } from "./net.js";

const PAUSE = 350;

export function startPrice(form) {
  let waiting = 0, asking = null;
  const later = () => {
    clearTimeout(waiting);
    waiting = setTimeout(async () => {
      asking?.abort();
      asking = new AbortController();
      await show(form, asking.signal).catch(() => {});
    }, PAUSE);
  };
  form.addEventListener(CHANGED, later);
  later();
}

async function show(form, signal) {
  const price = document.getElementById("price");
  price.setAttribute("aria-busy", "true");
  const found = await ask(form.dataset.price, { method: "POST", body: new FormData(form), signal });
  price.removeAttribute("aria-busy");
  if (!found.ok) return;
  const isOpen = price.querySelector("details")?.open;
  price.innerHTML = found.data.price;
  const lines = price.querySelector("details");
  if (lines && isOpen) lines.open = true;
  for (const [language, text] of Object.entries(found.data.code)) {
    document.getElementById(`code-${language}`).textContent = text;
  }
}
