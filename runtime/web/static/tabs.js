// The tabs beside the picture; arrow keys move between them.

const tabs = [...document.querySelectorAll("[role=tab]")];
const panelOf = (tab) => document.getElementById(tab.getAttribute("aria-controls"));
const watchers = new Map();

export const isOpen = (name) => !document.getElementById(`panel-${name}`).hidden;

// Calls `opened` each time a tab is opened.
export function whenOpened(name, opened) { watchers.set(name, opened); }

export function openTab(name, focus = false) {
  for (const tab of tabs) {
    const selected = tab.id === `tab-${name}`;
    tab.setAttribute("aria-selected", String(selected));
    tab.tabIndex = selected ? 0 : -1;
    panelOf(tab).hidden = !selected;
    if (selected && focus) tab.focus();
  }
  document.querySelector(".side").dataset.tab = name;
  document.querySelector(".panels").scrollTop = 0;
  watchers.get(name)?.();
}

const nameOf = (tab) => tab.id.slice("tab-".length);

for (const [at, tab] of tabs.entries()) {
  tab.addEventListener("click", () => openTab(nameOf(tab)));
  tab.addEventListener("keydown", (event) => {
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    openTab(nameOf(tabs[(to + tabs.length) % tabs.length]), true);
  });
}
openTab("count");
