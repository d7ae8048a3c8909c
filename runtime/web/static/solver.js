// The tab for the model and its solver: automatic with a target or fixed, the ladder, its error, and the governor's moves.

import { get, post } from "/static/api.js";
import { byId, make, makeFact, rebuild, setHidden, setText } from "/static/dom.js";
import * as format from "/static/format.js";
import { eventLine, latestEvents } from "/static/log.js";
import { attempt } from "/static/messages.js";
import { isOpen, whenOpened } from "/static/tabs.js";

const LIMITS = { load: "the load", heat: "heat", power: "the power mode", building: "an engine that is still being built" };
const MOST_MS = 60_000;

const mode = make("select", { id: "solver-mode", "aria-label": "Solver" });
const targetKind = make("select", { id: "target-kind", "aria-label": "Target" },
  make("option", { value: "latency" }, "Latency below"), make("option", { value: "frame_time" }, "A frame every"));
const target = make("input", { id: "target-ms", type: "number", min: "1", max: String(MOST_MS), step: "1", "aria-label": "Target, milliseconds" });
const targetRow = make("div", { className: "inline" }, targetKind, make("span", { className: "with-unit" }, target, make("span", {}, "ms")));
const reason = make("p", { className: "reason" });
const ladder = make("tbody");
const errors = make("div", { className: "errors" });
const errorNote = make("p", { className: "note" });
const moves = make("ol", { className: "events" });
const bundle = make("select", { id: "bundle", "aria-label": "Bundle" });
const loading = make("p", { className: "note" });
const stages = make("tbody");
const drops = make("tbody");
const remarks = make("ul", { className: "remarks" });
const facts = make("dl", { className: "facts" });
const fact = {};
for (const name of ["Model", "Engine", "Runs on", "At once", "Engines' memory", "Frames run again"]) fact[name] = makeFact(facts, name);

byId("panel-solver").append(
  make("h2", {}, "Solver setting"), mode, targetRow, reason,
  table(["Setting", "Evals", "Tolerance", "ms"], ladder, "ladder"),
  make("h2", {}, "Error the solver reports"), errors, errorNote,
  make("h2", {}, "The governor's moves"), moves,
  make("h2", {}, "Model"),
  make("div", { className: "inline" }, bundle,
    make("button", { type: "button", id: "reload-bundle", className: "plain", onclick: () => choose(bundle.value) }, "Read again")),
  loading, facts, remarks,
  make("h2", {}, "Where the time goes"), table(["Stage", "p50 ms", "p99 ms"], stages),
  make("h2", {}, "Frames skipped"), table(["Because", "Frames"], drops),
);

function table(titles, body, className = "") {
  return make("table", { className }, make("thead", {}, make("tr", {}, ...titles.map((title) => make("th", { scope: "col" }, title)))), body);
}

const choose = (id) => attempt(() => post("/api/bundle", { id }));
bundle.addEventListener("change", () => choose(bundle.value));
mode.addEventListener("change", wish);
targetKind.addEventListener("change", wish);
target.addEventListener("change", wish);
whenOpened("solver", refreshBundles);

let known = null;

function wish() {
  const automatic = mode.value === "";
  const ms = target.valueAsNumber;
  return attempt(() => post("/api/solver", automatic
    ? { mode: "automatic", target: targetKind.value, target_ms: ms >= 1 && ms <= MOST_MS ? ms : null }
    : { mode: "fixed", setting: mode.value }));
}

async function refreshBundles() {
  const choices = await attempt(() => get("/api/choices"));
  if (!choices) return;
  rebuild(bundle, choices.bundles, () => choices.bundles.map(({ id, name }) => make("option", { value: id }, name)));
  if (known) bundle.value = known;
}

const STAGES = {
  wait: "Wait for a worker", scale: "Scale", preprocess: "Preprocessing", engine: "Engine", count: "Counting",
  latency: "Capture to result", encode: "Encode for the page", page: "Capture to page",
};
const DROPS = {
  busy: "all workers were busy", measuring: "used to measure the scale", failed: "segmentation failed", missed: "lost by the camera",
  late: "a later frame was ready first", hung: "an engine did not answer", damaged: "the camera gave half a picture",
};

export function showSolver(status) {
  const { solver, model } = status;
  if (known !== model.id) {
    known = model.id;
    if (isOpen("solver")) refreshBundles();
  }
  if (!isOpen("solver")) return;
  if (document.activeElement !== bundle) bundle.value = model.id;
  setText(loading, model.loading ? `Opening ${model.loading}; ${model.bundle} goes on until it is ready.` : "");
  showChoice(solver);
  setText(reason, solver.limited_by ? `${solver.reason} Held back by ${LIMITS[solver.limited_by] ?? solver.limited_by}.` : solver.reason);
  showLadder(solver);
  showErrors(solver.error);
  showModel(model, solver);
  const rows = Object.entries(status.stages).map(([stage, { p50_ms, p99_ms }]) => [STAGES[stage] ?? stage, p50_ms.toFixed(1), p99_ms.toFixed(1)]);
  fill(stages, rows);
  fill(drops, Object.entries(status.drops).map(([cause, frames]) => [DROPS[cause] ?? cause, format.count(frames)]));
  const told = latestEvents("governor", 8);
  rebuild(moves, told, () => told.length > 0 ? told.map(eventLine) : [make("li", { className: "note" }, "None yet.")]);
}

function showChoice({ mode: current, setting, rungs, target: kind, target_ms: ms }) {
  rebuild(mode, rungs.map((rung) => rung.setting), () => [
    make("option", { value: "" }, "Automatic, with a target"),
    ...rungs.map((rung) => make("option", { value: rung.setting }, `Always ${rung.setting}`)),
  ]);
  if (document.activeElement !== mode) mode.value = current === "automatic" ? "" : setting;
  setHidden(targetRow, mode.value !== "");
  if (document.activeElement !== targetKind) targetKind.value = kind;
  if (document.activeElement !== target && ms !== null) target.value = String(ms);
}

function showLadder({ rungs, setting }) {
  rebuild(ladder, [rungs, setting], () => rungs.map((rung) => make("tr", {
    className: rung.setting === setting ? "current" : "", ...(rung.setting === setting ? { "aria-current": "true" } : {}),
  },
    make("th", { scope: "row" }, rung.setting), make("td", {}, format.count(rung.evaluations)),
    make("td", {}, rung.tolerance === null ? "–" : format.tolerance(rung.tolerance)),
    make("td", { title: rung.ready ? "" : "Not opened yet: predicted" },
      rung.engine_ms === null ? "–" : `${rung.ready ? "" : "≈ "}${format.milliseconds(rung.engine_ms)}`))));
}

function showErrors(error) {
  setHidden(errors, error === null);
  setText(errorNote, error === null
    ? "This setting reports no error of its own."
    : error.outside
      ? "Above all that was seen at calibration: such frames run again on the next better setting."
      : "Of the tolerance asked for, by block; the line is the largest seen at calibration.");
  errorNote.classList.toggle("bad", error?.outside ?? false);
  if (error === null) return;
  rebuild(errors, error.blocks.map(({ position }) => position), () => error.blocks.map(({ position }) =>
    make("div", { className: "error-row" }, make("span", {}, `Block ${position}`),
      make("span", { className: "error-bar" }, make("i"), make("s")), make("span", { className: "number" }))));
  for (const [at, { estimate, largest }] of error.blocks.entries()) {
    const [, bar, number] = errors.children[at].children;
    const most = 1.25 * Math.max(largest, estimate, Number.MIN_VALUE);
    bar.children[0].style.transform = `scaleX(${(estimate / most).toFixed(3)})`;
    bar.children[1].style.left = `${(100 * largest / most).toFixed(1)}%`;
    bar.classList.toggle("bad", estimate > largest);
    setText(number, format.error(estimate));
  }
}

function showModel(model, solver) {
  fact.Model(`${model.bundle} (${model.model})`);
  fact.Engine(`${model.version}, ${model.precision}`);
  fact["Runs on"](model.device);
  fact["At once"](format.plural(model.workers, "frame"));
  fact["Engines' memory"](format.bytes(solver.memory_bytes));
  fact["Frames run again"](format.count(solver.stepped_up));
  const told = [...model.passed_over, ...model.remarks];
  rebuild(remarks, told, () => told.map((remark) => make("li", {}, remark)));
}

function fill(body, rows) {
  if (body.rows.length !== rows.length) body.replaceChildren(...rows.map((cells) => make("tr", {}, ...cells.map(() => make("td")))));
  rows.forEach((cells, at) => cells.forEach((text, column) => setText(body.rows[at].cells[column], text)));
}
