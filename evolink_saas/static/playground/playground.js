// The playground. Without scripts the form is posted and leads to its task; these modules add previews, the price and
// the code while one types, progress while the task runs, and the history.
import { startForm } from "./form.js";
import { startMedia } from "./media.js";
import { startElements } from "./elements.js";
import { startShots } from "./shots.js";
import { startTabs } from "./tabs.js";
import { startPrice } from "./price.js";
import { startRun } from "./run.js";
import { startResult } from "./result.js";

const form = document.getElementById("playground-form");
startTabs();
startElements(form);
startShots(form);
startForm(form);
if (document.getElementById("run")) {
  startPrice(form);
  startRun(form);
}
startMedia(form); // tells those above when a file is on its way
startResult();
