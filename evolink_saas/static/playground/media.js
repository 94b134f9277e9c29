// Drop zones: a file is checked (kind, size, sides, length) before it is sent, shown at once, and sent with progress.
// Each that is there leaves a hidden input with its address, which is what the form says.
import { announce, complain } from "./form.js";
import { problem } from "./checks.js";
import { element, say, token } from "./net.js";

export function startMedia(form) {
  for (const around of form.querySelectorAll("[data-media]")) startZone(form, around);
}

function startZone(form, around) {
  const limits = JSON.parse(around.querySelector("script[type='application/json']").textContent);
  const zone = around.querySelector(".zone"), fallback = around.querySelector(".addresses");
  const chooser = zone.querySelector("input[type=file]"), dropper = zone.querySelector(".dropper");
  const thumbs = zone.querySelector(".thumbs"), byAddress = zone.querySelector(".by-address");
  const one = { form, around, limits, thumbs, name: around.dataset.field, isVideo: around.dataset.media === "video" };
  one.refresh = () => {
    const isFull = thumbs.children.length >= limits.most;
    dropper.hidden = byAddress.hidden = isFull;
  };
  const given = [...fallback.querySelectorAll("input")].map((input) => input.value).filter(Boolean);
  fallback.remove();
  zone.hidden = false;
  for (const address of given) addThumb(one, { address, source: address });
  const takeChosen = () => { take(one, [...chooser.files]); chooser.value = ""; };
  chooser.addEventListener("change", takeChosen);
  chooser.addEventListener("input", (event) => event.stopPropagation());
  for (const name of ["dragenter", "dragover"]) {
    zone.addEventListener(name, (event) => { event.preventDefault(); zone.classList.add("over"); });
  }
  for (const name of ["dragleave", "drop"]) zone.addEventListener(name, () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => { event.preventDefault(); take(one, [...event.dataTransfer.files]); });
  startAddress(one, byAddress);
  one.refresh();
  if (chooser.files.length) takeChosen(); // before the script was there, or kept by the browser over a reload
}

function startAddress(one, byAddress) {
  const input = byAddress.querySelector("input");
  const add = () => {
    if (!input.value.trim()) return;
    addThumb(one, { address: input.value.trim(), source: input.value.trim() });
    input.value = "";
    byAddress.open = false;
    said(one);
  };
  input.addEventListener("input", (event) => event.stopPropagation());
  input.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); add(); } });
  byAddress.querySelector("[data-adds]").addEventListener("click", add);
}

// From the first check to the end of the last upload, nothing can be run.
async function take(one, files) {
  one.form.dispatchEvent(new CustomEvent("playground:uploading", { detail: 1 }));
  try {
    await takeEach(one, files);
  } finally {
    one.form.dispatchEvent(new CustomEvent("playground:uploading", { detail: -1 }));
  }
}

async function takeEach(one, files) {
  complain(one.around, "");
  for (const file of files) {
    if (one.thumbs.children.length >= one.limits.most) {
      complain(one.around, say("too_many", { most: one.limits.most }));
      return;
    }
    const wrong = await problem(file, one.limits, one.isVideo);
    if (wrong) {
      complain(one.around, wrong);
      continue;
    }
    await send(one, file);
  }
}

async function send(one, file) {
  const thumb = addThumb(one, { source: URL.createObjectURL(file), label: file.name });
  const bar = thumb.querySelector("progress");
  bar.hidden = false;
  try {
    const data = await upload(one.form.dataset.upload, file, (share) => { bar.value = share; });
    thumb.querySelector("input").value = data.url;
    bar.hidden = true;
    said(one);
  } catch (error) {
    thumb.remove();
    one.refresh();
    complain(one.around, error.message);
  }
}

// fetch tells nothing of an upload's progress, XMLHttpRequest does.
function upload(address, file, progressed) {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    request.open("POST", address);
    request.responseType = "json";
    request.setRequestHeader("X-CSRFToken", token());
    request.setRequestHeader("X-File-Name", encodeURIComponent(file.name));
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.upload.addEventListener("progress", (event) => progressed((100 * event.loaded) / event.total));
    request.addEventListener("load", () => {
      if (request.status === 201) done(request.response);
      else failed(new Error(request.response?.error?.message ?? say("upload_failed")));
    });
    request.addEventListener("error", () => failed(new Error(say("upload_failed"))));
    request.send(file);
  });
}

function addThumb(one, { address = "", source, label = "" }) {
  const name = label || decodeURIComponent(address.split("/").pop() ?? "");
  const thumb = element("<li class=\"thumb\"><input type=\"hidden\"><progress max=\"100\" value=\"0\" hidden></progress><span class=\"cut small\"></span><button type=\"button\" class=\"button bare small\"></button></li>");
  const picture = document.createElement(one.isVideo ? "video" : "img");
  if (one.isVideo) Object.assign(picture, { muted: true, playsInline: true, preload: "metadata" });
  else picture.alt = name;
  picture.addEventListener("error", () => picture.classList.add("unseen"));
  picture.src = source;
  thumb.prepend(picture);
  const input = thumb.querySelector("input");
  input.name = one.name;
  input.value = address;
  thumb.querySelector("span").textContent = name;
  thumb.querySelector("progress").setAttribute("aria-label", name);
  const button = thumb.querySelector("button");
  button.textContent = "×";
  button.setAttribute("aria-label", say("remove", { name }));
  button.addEventListener("click", () => {
    thumb.remove();
    said(one);
    one.around.querySelector("input[type=file]").focus();
  });
  one.thumbs.append(thumb);
  one.refresh();
  return thumb;
}

function said(one) {
  one.refresh();
  announce(one.thumbs);
}
