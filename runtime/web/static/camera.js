// The tab for the camera: which one, how it fares, and its controls with units.

import { get, post } from "/static/api.js";
import { byId, make, makeFact, makeSwitch, rebuild, setAttribute } from "/static/dom.js";
import * as format from "/static/format.js";
import { attempt } from "/static/messages.js";
import { isOpen, whenOpened } from "/static/tabs.js";

const REFRESH_MS = 2000;
const LOGARITHMIC_FROM = 200;
const STATES = { running: "running", silent: "silent", reopening: "opening it again", ended: "ended" };

const list = make("select", { id: "source", "aria-label": "Source" });
const facts = make("dl", { className: "facts" });
const gates = make("ul", { className: "gates" });
const controls = make("div", { id: "controls", className: "controls" });
const fact = {};
for (const name of ["State", "Picture", "Frames/s", "Damaged pictures", "Lost by the camera", "Stalls, reopened"]) fact[name] = makeFact(facts, name);

byId("panel-camera").append(
  make("h2", {}, "Source"), list,
  make("h2", {}, "Controls"), controls,
  make("h2", {}, "Picture"), gates, facts,
);

let rows = new Map();
let source = null;

list.addEventListener("change", () => attempt(() => post("/api/source", { id: list.value })));
whenOpened("camera", () => { refreshSources(); refreshControls(); });
setInterval(() => { if (isOpen("camera") && !document.hidden) refreshControls(); }, REFRESH_MS);

export function showCamera({ source: camera, quality }) {
  if (source !== camera.id) {
    source = camera.id;
    if (isOpen("camera")) { refreshSources(); refreshControls(); }
  }
  if (!isOpen("camera")) return;
  if (document.activeElement !== list) list.value = camera.id;
  fact.State(`${STATES[camera.state] ?? camera.state}, latest picture ${camera.age_s.toFixed(1)} s ago`);
  fact.Picture(camera.width === null ? "–" : `${camera.width} × ${camera.height}`);
  fact["Frames/s"](format.rounded(camera.rate_hz));
  fact["Damaged pictures"](format.count(camera.damaged));
  fact["Lost by the camera"](format.count(camera.missed));
  fact["Stalls, reopened"](`${format.count(camera.stalls)}, ${format.count(camera.reopened)}`);
  showGates(quality?.gates ?? []);
}

function showGates(told) {
  rebuild(gates, told, () => told.map((gate) => make("li", { className: gate.ok ? "ok" : "bad" },
    make("span", {}, gate.label), make("span", { className: "number" }, format.figure(gate.value)),
    make("small", {}, gate.ok ? range(gate) : gate.advice ?? range(gate)))));
}

function range({ least, most }) {
  if (least === null && most === null) return "";
  if (most === null) return `at least ${format.figure(least)}`;
  return least === null ? `at most ${format.figure(most)}` : `${format.figure(least)} to ${format.figure(most)}`;
}

async function refreshSources() {
  const choices = await attempt(() => get("/api/choices"));
  if (!choices) return;
  rebuild(list, choices.sources, () => choices.sources.map(({ id, name }) => make("option", { value: id }, name)));
  list.value = source;
}

async function refreshControls() {
  let told;
  // A camera that is away has none; the page says elsewhere that it is away.
  try { told = await get("/api/controls"); } catch { return; }
  const shape = told.map(({ name, label, unit, least, most, step, automatic }) => [name, label, unit, least, most, step, automatic !== null]);
  rebuild(controls, shape, () => {
    rows = new Map(told.map((control) => [control.name, makeControl(control)]));
    if (rows.size === 0) return [make("p", { className: "note" }, "This source has no controls.")];
    return [...rows.values()].map(({ element }) => element);
  });
  for (const control of told) rows.get(control.name)?.show(control);
}

// A slider, the same value as a number with its unit, and a switch where the camera can choose by itself.
function makeControl({ name, label, unit, least, most, step, automatic }) {
  const id = `control-${name}`;
  const scale = least > 0 && most / least >= LOGARITHMIC_FROM ? logarithmic(least, most) : linear(step);
  const slider = make("input", { type: "range", id, min: scale.least(least), max: scale.most(most), step: scale.step });
  const number = make("input", { type: "number", min: least, max: most, step: "any", "aria-label": unit ? `${label}, ${unit}` : label });
  const send = sender(name, show);
  slider.addEventListener("input", () => {
    const value = toStep(scale.value(slider.valueAsNumber), least, most, step);
    number.value = tidy(value);
    send({ value });
  });
  number.addEventListener("change", () => { if (Number.isFinite(number.valueAsNumber)) send({ value: number.valueAsNumber }); });
  const auto = automatic === null ? null : makeSwitch("Auto", automatic, (on) => send({ automatic: on }));
  if (auto) auto.setAttribute("aria-label", `${label}: automatic`);

  function show(control) {
    if (document.activeElement !== number) number.value = tidy(control.value);
    if (!slider.matches(":active")) slider.value = scale.position(control.value);
    setAttribute(slider, "aria-valuetext", `${tidy(control.value)} ${unit}`);
    slider.disabled = number.disabled = !control.changeable;
    if (auto) setAttribute(auto, "aria-checked", control.automatic);
  }

  const element = make("div", { className: "control", data: { name } },
    make("label", { htmlFor: id }, label), auto,
    slider, make("span", { className: "with-unit" }, number, make("span", {}, unit)));
  return { element, show };
}

// One request at a time; of what came meanwhile, the latest.
function sender(name, show) {
  let waiting = null;
  let sending = false;
  return async (change) => {
    waiting = { ...waiting, ...change };
    if (sending) return;
    sending = true;
    while (waiting) {
      const body = waiting;
      waiting = null;
      const control = await attempt(() => post(`/api/controls/${encodeURIComponent(name)}`, body));
      if (control && !waiting) show(control);
    }
    sending = false;
    refreshControls();
  };
}

const linear = (step) => ({
  step: step > 0 ? step : "any", least: (value) => value, most: (value) => value, value: (at) => at, position: (value) => value,
});

// An exposure of 0.1 to 1000 ms: each third of the slider is a factor of ten and more.
const logarithmic = (least, most) => ({
  step: 1, least: () => 0, most: () => 1000,
  value: (at) => least * (most / least) ** (at / 1000),
  position: (value) => 1000 * Math.log(Math.max(value, least) / least) / Math.log(most / least),
});

function toStep(value, least, most, step) {
  const stepped = step > 0 ? least + Math.round((value - least) / step) * step : value;
  return Math.min(most, Math.max(least, stepped));
}

const tidy = (value) => String(Number(value.toPrecision(4)));
