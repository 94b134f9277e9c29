// [data-tabs]: a list of tabs and their panels, one of which is seen. Arrow keys go from tab to tab.

export function startTabs() {
  for (const around of document.querySelectorAll("[data-tabs]")) {
    const tabs = [...around.querySelector("[role=tablist]").querySelectorAll("[role=tab]")];
    for (const tab of tabs) {
      tab.addEventListener("click", () => choose(tabs, tab));
      tab.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (!step) return;
        event.preventDefault();
        const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length];
        choose(tabs, next);
        next.focus();
      });
    }
    choose(tabs, tabs[0]);
  }
}

export function showTab(id) {
  document.getElementById(id).click();
}

function choose(tabs, chosen) {
  for (const tab of tabs) {
    const isChosen = tab === chosen;
    tab.setAttribute("aria-selected", String(isChosen));
    tab.tabIndex = isChosen ? 0 : -1;
    document.getElementById(tab.getAttribute("aria-controls")).hidden = !isChosen;
  }
}
