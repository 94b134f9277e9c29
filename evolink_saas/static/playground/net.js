// How the playground asks its server, and the sentences it says in the reader's language.

const words = JSON.parse(document.getElementById("playground-words")?.textContent ?? "{}");

export function say(name, values = {}) {
  return (words[name] ?? name).replace(/\{(\w+)\}/g, (_, key) => values[key] ?? "");
}

export function token() {
  return document.querySelector("[name=csrfmiddlewaretoken]").value;
}

// Answers with { ok, status, data } (data: what a JSON answer holds) or { ok, text }; throws when no answer came.
export async function ask(address, { method = "GET", body, signal } = {}) {
  const headers = { Accept: "application/json" };
  if (method !== "GET") headers["X-CSRFToken"] = token();
  const answer = await fetch(address, { method, body, headers, signal, redirect: "manual" });
  if (answer.type === "opaqueredirect") return { ok: false, status: 401, data: { error: { message: say("signed_out") } } };
  const isJson = (answer.headers.get("Content-Type") ?? "").startsWith("application/json");
  const found = { ok: answer.ok, status: answer.status };
  if (isJson) found.data = await answer.json();
  else found.text = await answer.text();
  return found;
}

export function element(html) {
  const template = document.createElement("template");
  template.innerHTML = html.trim();
  return template.content.firstElementChild;
}
