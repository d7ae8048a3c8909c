// The live page: connects the stream, the picture and the panel, and answers keys and buttons.

import { Painter } from "/static/painter.js";
import { Panel } from "/static/panel.js";
import { openStream } from "/static/stream.js";

const pill = document.getElementById("pill");
const painter = new Painter();
const panel = new Panel((classId, shown) => painter.showClass(classId, shown));

let frozen = false;
let connected = false;
let status = null;

const stream = openStream({
  async result(result) {
    if (frozen) return;
    await painter.show(result);
    panel.showResult(result.header);
  },
  status(latest) {
    status = latest;
    painter.setClasses(latest.classes);
    panel.showStatus(latest);
    describeState();
  },
  connection(open) {
    connected = open;
    describeState();
  },
});

function describeState() {
  let state = status?.state ?? "starting";
  let label = status?.label ?? "Starting";
  let message = status?.message ?? null;
  if (!connected) {
    [state, label] = ["trouble", "Disconnected"];
    message = "No connection to hemonode; trying again. What is shown is old.";
  }
  if (frozen) [state, label] = ["frozen", "Frozen"];
  pill.dataset.state = state;
  pill.textContent = label;
  const fault = document.getElementById("fault");
  fault.hidden = message === null;
  if (message !== null && fault.textContent !== message) fault.textContent = message;
}

function toggle(id, change) {
  const button = document.getElementById(id);
  const flip = () => {
    const pressed = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(pressed));
    change(pressed);
  };
  button.addEventListener("click", flip);
  return flip;
}

const flipMasks = toggle("toggle-masks", (shown) => painter.showMasks(shown));
const flipCentres = toggle("toggle-centres", (shown) => painter.showCentres(shown));
const flipFreeze = toggle("toggle-freeze", (wanted) => {
  frozen = wanted;
  stream.pause(frozen);
  describeState();
});

const root = document.documentElement;
const prefersDark = matchMedia("(prefers-color-scheme: dark)").matches;
root.dataset.theme = localStorage.getItem("hemonode-theme") ?? (prefersDark ? "dark" : "light");
function flipTheme() {
  root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
  localStorage.setItem("hemonode-theme", root.dataset.theme);
}
document.getElementById("toggle-theme").addEventListener("click", flipTheme);
document.getElementById("measure-scale").addEventListener("click", () => fetch("/api/scale", { method: "POST" }));

const keys = { m: flipMasks, c: flipCentres, d: flipTheme, " ": flipFreeze };
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const act = keys[event.key.toLowerCase()] ?? panel.keyFor(event.key);
  if (!act) return;
  // Space would also press the button that has the focus.
  event.preventDefault();
  if (event.key === " ") document.activeElement?.blur();
  act();
});
