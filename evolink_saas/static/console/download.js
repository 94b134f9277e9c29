// A large file says how far it is: an <a data-download data-lines="71428"> is fetched here, its lines are counted as they
// come, and the whole is saved. Without this script, or when it fails, the link is a plain download.

const status = document.querySelector("[data-downloading]");
const [words, bar, stop] = ["span", "progress", "button"].map((name) => status.querySelector(name));
const NEWLINE = 10;

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-download]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  if (!status.hidden) return; // one at a time
  download(link).catch(() => { location.href = link.href; }).finally(() => { status.hidden = true; });
});

async function download(link) {
  const aborting = new AbortController();
  stop.onclick = () => aborting.abort();
  show(0, Number(link.dataset.lines));
  status.hidden = false;
  try {
    const answer = await fetch(link.href, { signal: aborting.signal });
    if (!answer.ok) throw new Error(answer.status);
    save(await read(answer.body.getReader(), Number(link.dataset.lines)), nameOf(answer));
  } catch (error) {
    if (error.name !== "AbortError") throw error;
  }
}

async function read(reader, lines) {
  const parts = [];
  let done = 0;
  for (let { value } = await reader.read(); value; { value } = await reader.read()) {
    parts.push(value);
    for (const byte of value) done += byte === NEWLINE;
    show(Math.min(done, lines), lines);
  }
  return new Blob(parts);
}

function show(done, lines) {
  const spoken = new Intl.NumberFormat(document.documentElement.lang);
  words.textContent = status.dataset.words.replace("{done}", spoken.format(done)).replace("{all}", spoken.format(lines));
  bar.max = Math.max(1, lines);
  bar.value = done;
}

function nameOf(answer) {
  return /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition"))[1];
}

function save(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
