// Single keys for everything that is done often; listed with "?", and they can be switched off.

import { byId, make } from "/static/dom.js";
import { recall, remember } from "/static/store.js";

const GROUPS = [
  ["Tally", [
    ["T", "name the sample; Enter starts"], ["C", "count this field; again: go on"], ["P", "pause, resume"],
    ["N", "new area"], ["E", "end the tally"],
  ]],
  ["Picture", [
    ["Space", "freeze, go on"], ["S", "snapshot"], ["M", "masks"], ["1 2 3", "masks of one class"], ["O", "outlines only"],
    ["[ ]", "opacity"], ["X", "mark cells and counting frame"], ["+ − 0", "zoom, whole picture"], ["← ↑ ↓ →", "move the zoomed picture"],
  ]],
  ["Page", [
    ["F", "full screen"], ["B", "big numbers"], ["D", "dark, light"], ["R", "keep pictures, or counts only"],
    ["?", "this list"], ["Esc", "close, go on"],
  ]],
];

let wanted = recall("keys", true);
export const keysWanted = () => wanted;
export function wantKeys(on) { wanted = on; remember("keys", on); }

const typesText = (target) => target.matches("select, textarea, input:not([type=range])");
const presses = (target) => target.closest("button, a, summary, [role=tab]") !== null;
const slides = (target) => target.matches("input[type=range]");

// `actions`: from a key to what it does; false from an action means that the key is not ours.
export function listen(actions) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (document.querySelector("dialog[open]")) return;
    const { target, key } = event;
    if (key === "Escape") { if (target instanceof HTMLElement && typesText(target)) target.blur(); actions.Escape(); return; }
    if (!(target instanceof HTMLElement) || typesText(target)) return;
    if (!wanted && key !== "?") return;
    // A focused button keeps its own keys, and a slider its arrows.
    if ((key === " " || key === "Enter") && presses(target)) return;
    if (key.startsWith("Arrow") && slides(target)) return;
    const act = actions[key.length === 1 ? key.toLowerCase() : key];
    if (!act || (event.repeat && !key.startsWith("Arrow") && !"+-[]".includes(key))) return;
    if (act() !== false) event.preventDefault();
  });
  // A button pressed with the mouse gives the focus back, so that Space freezes and does not press it again.
  document.addEventListener("click", (event) => {
    if (event.detail > 0 && event.target instanceof Element) event.target.closest("button")?.blur();
  });
}

export function showHelp() {
  const dialog = byId("help");
  if (dialog.open) return;
  const close = make("button", { type: "button", className: "big primary", onclick: () => dialog.close() }, "Close");
  dialog.replaceChildren(
    make("h2", { id: "help-title" }, "How to count a smear"),
    make("ol", {},
      make("li", {}, "Turn the fine focus until the focus bar is full and the cells are sharp."),
      make("li", {}, "Give the sample a name and press Start tally."),
      make("li", {}, "Move the slide slowly, row by row. Each cell is counted once; a view that cannot be judged is not counted, and the line over the picture says why."),
      make("li", {}, "Go on until the bar says that enough cells were counted, then press Finish: report and table are ready.")),
    make("p", {}, "Count this field stops the picture and counts what it shows, with or without a tally."),
    make("div", { className: "key-groups" }, ...GROUPS.map(([title, keys]) => make("section", {},
      make("h3", {}, title),
      make("dl", { className: "keys" }, ...keys.flatMap(([key, what]) => [
        make("dt", {}, ...key.split(" ").map((one) => make("kbd", {}, one))), make("dd", {}, what)]))))),
    make("p", { className: "note" }, "For research use; not a diagnostic device."),
    close,
  );
  dialog.showModal();
  close.focus();
}
