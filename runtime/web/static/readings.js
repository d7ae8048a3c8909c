// The strip of readings under the picture: each says one thing, and leads to where it is explained.

import { byId, make, setAttribute, setHidden, setText } from "/static/dom.js";
import * as format from "/static/format.js";
import { openTab } from "/static/tabs.js";

const READINGS = [
  ["focus", "Focus", "camera"],
  ["exposure", "Exposure", "camera"],
  ["latency", "Latency", "solver"],
  ["rate", "Frames/s", "solver"],
  ["skipped", "Skipped", "solver"],
  ["solver", "Solver", "solver"],
  ["error", "Solver error", "solver"],
  ["heat", "Temperature", "log"],
  ["disk", "Disk", "kept"],
];
const WITH_BAR = new Set(["focus", "error"]);

const cells = new Map(READINGS.map(([id, label, tab]) => [id, makeReading(id, label, tab)]));
byId("readings").replaceChildren(...[...cells.values()].map(({ button }) => button));

function makeReading(id, label, tab) {
  const value = make("b", {}, "–");
  const unit = make("small");
  const bar = WITH_BAR.has(id) ? make("span", { className: "mini-bar", "aria-hidden": "true" }, make("i")) : null;
  const button = make("button", {
    type: "button", className: "reading", id: `reading-${id}`, onclick: () => openTab(tab, true),
  }, make("span", { className: "reading-name" }, label), make("span", { className: "reading-value" }, value, unit), bar);
  return { button, value, unit, bar };
}

function fill(id, value, unit = "", { warn = false, title = "", share = null } = {}) {
  const cell = cells.get(id);
  setText(cell.value, value);
  setText(cell.unit, unit === "" ? "" : ` ${unit}`);
  cell.button.classList.toggle("warn", warn);
  setAttribute(cell.button, "title", title);
  if (cell.bar) {
    cell.bar.classList.toggle("gone", share === null);
    cell.bar.firstChild.style.transform = `scaleX(${Math.min(1, Math.max(0, share ?? 0)).toFixed(3)})`;
  }
}

export function showReadings(status) {
  showQuality(status.quality);
  const latency = status.stages.page ?? status.stages.latency;
  if (latency) {
    const to = status.stages.page ? "page" : "result";
    fill("latency", format.milliseconds(latency.p50_ms), "ms", {
      title: `Capture to ${to}: half of the frames within ${format.milliseconds(latency.p50_ms)} ms, 99 % within ${format.milliseconds(latency.p99_ms)} ms`,
    });
  }
  fill("rate", format.rounded(status.rate_hz), "", { title: `The camera gives ${format.rounded(status.source.rate_hz)} a second` });
  fill("skipped", format.count(Object.values(status.drops).reduce((sum, frames) => sum + frames, 0)));
  showSolver(status.solver);
  showHost(status);
}

function showQuality(quality) {
  const gate = (name) => quality?.gates.find((one) => one.name === name);
  const focus = gate("focus");
  const share = quality?.focus_share ?? null;
  fill("focus", share === null ? "–" : format.count(100 * share), share === null ? "" : "%", {
    warn: focus ? !focus.ok : false, share, title: focus?.advice ?? "Sharpness, beside the sharpest view lately",
  });
  const failing = ["exposure", "saturation"].map(gate).find((one) => one && !one.ok);
  const fault = failing && (failing.name === "saturation" ? "saturated" : failing.value < (failing.least ?? -Infinity) ? "too dark" : "too bright");
  const known = gate("exposure") !== undefined;
  fill("exposure", fault ?? (known ? "fine" : "–"), "", { warn: failing !== undefined, title: failing?.advice ?? "" });
}

function showSolver(solver) {
  fill("solver", solver.setting, solver.mode === "automatic" ? "auto" : "fixed", { warn: solver.limited_by === "heat", title: solver.reason });
  const shares = (solver.error?.blocks ?? []).map(({ estimate, largest }) => estimate / largest).filter(Number.isFinite);
  const worst = shares.length > 0 ? Math.max(...shares) : null;
  fill("error", worst === null ? "–" : format.count(100 * worst), worst === null ? "" : "% of range", {
    warn: solver.error?.outside ?? false, share: worst,
    title: worst === null ? "This setting reports no error of its own" : "The error the solver reports, in percent of the largest seen at calibration",
  });
}

function showHost({ host, recorder }) {
  setHidden(cells.get("heat").button, host.hottest_c === null);
  fill("heat", format.rounded(host.hottest_c, 0), "°C", {
    warn: (host.hot_from_c !== null && host.hottest_c >= host.hot_from_c) || host.throttled_by.includes("heat"),
    title: Object.entries(host.temperatures_c).map(([sensor, degrees]) => `${sensor} ${degrees.toFixed(0)} °C`).join("\n"),
  });
  const failing = recorder.state === "failing" || recorder.state === "without_pictures";
  fill("disk", format.bytes(recorder.free_bytes), "free", { warn: failing, title: recorder.message ?? "" });
}
