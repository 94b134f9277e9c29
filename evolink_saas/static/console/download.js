// A large file says how far it is: an <a data-download> is fetched here and then saved. With data-lines="71428" its lines
// are counted as they come; without, as where nobody counted them or they come compressed, its bytes are. A second file
// meanwhile, or one that fails, is a plain download, as all are without this script.

const box = document.querySelector("[data-downloading]");
const news = document.querySelector("[data-downloading-news]");
const [words, bar, stop] = ["span", "progress", "button"].map((name) => box.querySelector(name));
const NEWLINE = 10, QUICK_MS = 300;

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-download]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || box.dataset.downloading) return;
  event.preventDefault();
  box.dataset.downloading = link.href;
  const appears = setTimeout(() => { box.hidden = false; }, QUICK_MS);
  download(link)
    .catch(() => { location.href = link.href; })
    .finally(() => {
      clearTimeout(appears);
      box.hidden = true;
      box.dataset.downloading = "";
    });
});

async function download(link) {
  const aborting = new AbortController();
  const lines = Number(link.dataset.lines) || null;
  stop.onclick = () => aborting.abort();
  say(box.dataset.begun);
  show(0, 0, lines);
  try {
    const answer = await fetch(link.href, { signal: aborting.signal });
    if (!answer.ok) throw new Error(answer.status);
    const name = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition"))[1];
    save(await read(answer.body.getReader(), lines), name);
    say(box.dataset.saved.replace("{name}", name));
  } catch (error) {
    if (error.name !== "AbortError") throw error;
    say(box.dataset.cancelled);
  }
}

async function read(reader, lines) {
  const parts = [];
  let done = 0, bytes = 0;
  for (let { value } = await reader.read(); value; { value } = await reader.read()) {
    parts.push(value);
    bytes += value.length;
    if (lines) for (const byte of value) done += byte === NEWLINE;
    show(done, bytes, lines);
  }
  return new Blob(parts);
}

function show(done, bytes, lines) {
  const language = document.documentElement.lang;
  const count = new Intl.NumberFormat(language);
  const size = new Intl.NumberFormat(language, { style: "unit", unit: "megabyte", maximumFractionDigits: 1 });
  words.textContent = lines
    ? box.dataset.lines.replace("{done}", count.format(Math.min(done, lines))).replace("{all}", count.format(lines))
    : box.dataset.size.replace("{size}", size.format(bytes / 1e6));
  if (!lines) return bar.removeAttribute("value");
  bar.max = lines;
  bar.value = Math.min(done, lines);
}

function say(text) {
  news.textContent = text; // for screen readers: the beginning and the end, not each step
}

function save(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
