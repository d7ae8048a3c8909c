// How the tally goes: the sample, the area covered, and how near the count is to the precision wanted.

import { byId, make, setAttribute, setHidden, setText } from "/static/dom.js";
import { Trend } from "/static/charts.js";
import * as format from "/static/format.js";
import { running } from "/static/guide.js";

const REASONS = {
  focus: "out of focus", exposure: "too dark or too bright", saturation: "overexposed", emptiness: "empty",
  scale: "wrong scale", lost: "place lost",
};

const head = byId("tally-head");
const section = byId("progress");
const parts = {
  name: make("h2", { className: "sample-name" }),
  facts: make("p", { className: "tally-facts" }),
  goal: make("span"),
  cells: make("span", { className: "number" }),
  bar: make("div", { className: "bar-meter", role: "progressbar", "aria-valuemin": "0", "aria-valuemax": "100" }, make("i")),
  trendTitle: make("span"),
  trendNow: make("span", { className: "number" }),
  refused: make("p", { className: "note" }),
};
const trend = new Trend();
head.append(parts.name, parts.facts);
section.append(
  make("p", { className: "line" }, parts.goal, parts.cells), parts.bar,
  make("p", { className: "line trend-line" }, parts.trendTitle, parts.trendNow), trend.element, parts.refused,
);

export function showProgress({ tally }, goalLabel) {
  const on = running(tally);
  setHidden(head, !on);
  setHidden(section, !on);
  if (!on) return;
  setText(parts.name, tally.name || "Sample without a name");
  setText(parts.facts, `${format.rounded(tally.fields)} fields · ${format.duration(tally.seconds)}`);
  const counted = tally.classes.find(({ id }) => id === tally.goal_class);
  setText(parts.goal, `${goalLabel} to ±${format.figure(tally.goal_percent)} %`);
  setText(parts.cells, `${format.count(counted?.counted ?? 0)} of ${format.count(tally.goal_cells)}`);
  const percent = Math.round(100 * Math.min(1, tally.progress));
  setAttribute(parts.bar, "aria-valuenow", percent);
  setAttribute(parts.bar, "aria-label", `${goalLabel} counted`);
  parts.bar.firstChild.style.transform = `scaleX(${percent / 100})`;
  parts.bar.classList.toggle("full", tally.progress >= 1);
  trend.show(tally.trend, tally.goal_class, goalLabel);
  setHidden(parts.trendTitle.parentElement, tally.trend.length < 2);
  setText(parts.trendTitle, `${goalLabel} per field`);
  setText(parts.trendNow, format.perField(counted?.per_field ?? { value: null }));
  showRefused(tally.refused);
}

function showRefused(refused) {
  const reasons = Object.entries(refused).filter(([, frames]) => frames > 0);
  setHidden(parts.refused, reasons.length === 0);
  const told = reasons.map(([reason, frames]) => `${REASONS[reason] ?? reason} ${format.count(frames)}`);
  setText(parts.refused, `Frames not counted: ${told.join(", ")}.`);
}
