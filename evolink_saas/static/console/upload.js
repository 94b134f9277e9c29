// Say before an upload what the server would refuse after it; it has the last word, for it reads the bytes.

const MEGABYTE = 1024 * 1024;
const form = document.querySelector("form[data-upload]");

if (form) {
  const input = form.elements.file;
  const said = document.getElementById("upload-said");
  const words = form.querySelector(".drop-words label");
  const empty = words.textContent;
  const button = form.querySelector("button");

  // A browser that has no word for a file leaves it to the server.
  const problem = (file) => {
    if (file.type && !form.dataset.types.split(",").includes(file.type)) return form.dataset.wrongType;
    const isImage = file.type.startsWith("image/");
    const most = Number(isImage ? form.dataset.maxImage : form.dataset.maxVideo) * MEGABYTE;
    if (file.size > most) return isImage ? form.dataset.imageTooLarge : form.dataset.videoTooLarge;
    return "";
  };

  const show = () => {
    const file = input.files[0];
    const wrong = file ? problem(file) : "";
    words.textContent = file ? file.name : empty;
    said.textContent = wrong;
    said.classList.toggle("wrong", Boolean(wrong));
    input.setAttribute("aria-invalid", String(Boolean(wrong)));
    button.disabled = Boolean(wrong);
  };

  const drop = form.querySelector(".drop");
  for (const kind of ["dragenter", "dragover"]) drop.addEventListener(kind, () => drop.classList.add("over"));
  for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => drop.classList.remove("over"));
  input.addEventListener("change", show);
  form.addEventListener("submit", (event) => {
    if (!input.files.length || problem(input.files[0])) {
      event.preventDefault();
      show();
      input.focus();
      return;
    }
    button.disabled = true;
    button.querySelector("[data-words]").textContent = form.dataset.uploading;
  });
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
}
