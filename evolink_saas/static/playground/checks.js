// What a file must be, checked before it is sent. The limits are the catalogue's; the server checks again.
import { say } from "./net.js";

const MEGABYTE = 1024 * 1024;
const TYPES = { "image/jpeg": "jpeg", "image/png": "png", "image/webp": "webp", "video/mp4": "mp4", "video/quicktime": "mov" };
const ONE_FRAME = 0.1;

// A sentence, or nothing when the file fits.
export async function problem(file, limits, isVideo) {
  const name = file.name;
  if (!limits.formats.includes(TYPES[file.type])) return say("wrong_type", { formats: limits.shown, name });
  if (file.size > limits.bytes) {
    return say("too_big", { most: limits.bytes / MEGABYTE, size: (file.size / MEGABYTE).toFixed(1), name });
  }
  const source = URL.createObjectURL(file);
  try {
    return isVideo ? ofVideo(await readVideo(source), limits, name) : ofSides(await readImage(source), limits, name);
  } catch {
    return say("unreadable", { name });
  } finally {
    URL.revokeObjectURL(source);
  }
}

function ofSides({ width, height }, limits, name) {
  if (Math.min(width, height) < limits.side) return say("too_small", { side: limits.side, width, height, name });
  if (limits.largest && Math.max(width, height) > limits.largest) {
    return say("too_large_sides", { side: limits.largest, width, height, name });
  }
  const [least, most] = limits.ratios ?? [0, Infinity];
  if (width / height < least || width / height > most) return say("wrong_shape", { least, most, width, height, name });
  return "";
}

function ofVideo(facts, limits, name) {
  const [least, most] = limits.seconds;
  if (facts.seconds < least - ONE_FRAME || facts.seconds > most + ONE_FRAME) {
    return say("wrong_length", { least, most, seconds: facts.seconds.toFixed(1), name });
  }
  return ofSides(facts, limits, name);
}

async function readImage(source) {
  const image = new Image();
  image.src = source;
  await image.decode();
  return { width: image.naturalWidth, height: image.naturalHeight };
}

function readVideo(source) {
  return new Promise((found, failed) => {
    const video = document.createElement("video");
    video.preload = "metadata";
    video.muted = true;
    video.addEventListener("loadedmetadata", () => {
      found({ width: video.videoWidth, height: video.videoHeight, seconds: video.duration });
      video.removeAttribute("src"); // its address is given up next: nothing more may be read from it
      video.load();
    });
    video.addEventListener("error", failed);
    video.src = source;
  });
}
