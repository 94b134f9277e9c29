// A task whose state has changed shows other things around its live part (site.js keeps that fresh): take the whole page.

const live = document.getElementById("task-live");

if (live.dataset.refresh) {
  const state = live.dataset.state;
  new MutationObserver(() => {
    if (document.getElementById("task-live").dataset.state !== state) location.reload();
  }).observe(live.parentElement, { childList: true });
}
