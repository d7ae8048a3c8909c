// One row per class: cells in view now, or those of the tally with share, interval and cells per field.

import { byId, make, rebuild, setAttribute, setHidden, setText } from "/static/dom.js";
import * as format from "/static/format.js";
import { running } from "/static/guide.js";
import { Spark } from "/static/charts.js";

export class Counts {
  #rows = new Map();
  #onClass;

  // `onClass(id, shown)`: the mask of a class is switched.
  constructor(onClass) { this.#onClass = onClass; }

  // Switches the mask of the class in that row, counted from 0.
  flip(at) { [...this.#rows.values()][at]?.button.click(); }

  show(status, classes) {
    rebuild(byId("counts"), classes, () => this.#build(classes));
    const live = new Map(status.counts.map((count) => [count.id, count]));
    const tallied = new Map(status.tally.classes.map((one) => [one.id, one]));
    const tally = running(status.tally);
    setHidden(byId("counts-title"), tally);
    setAttribute(byId("counts"), "aria-label", tally ? "Counted" : "In view now");
    setText(byId("counts-note"), tally
      ? `Shares of n = ${format.count(status.tally.cells)} cells; in brackets 95 % intervals.`
      : "Smoothed over the last second; cells cut by the right or bottom edge are left out.");
    for (const [id, row] of this.#rows) this.#fill(row, live.get(id), tally ? tallied.get(id) : undefined, status.stale);
  }

  #build(classes) {
    this.#rows.clear();
    return classes.map(({ id, label, colour }, at) => {
      const row = makeRow(id, label, colour, at);
      row.button.addEventListener("click", () => {
        const shown = row.button.getAttribute("aria-pressed") !== "true";
        setAttribute(row.button, "aria-pressed", shown);
        setText(row.mask, shown ? "" : "mask hidden");
        this.#onClass(id, shown);
      });
      this.#rows.set(id, row);
      // Another model's classes: what was hidden of the one before is none of theirs.
      this.#onClass(id, true);
      return row.button;
    });
  }

  #fill(row, live, tallied, stale) {
    const now = live ? format.count(Math.round(live.smoothed)) : "–";
    if (live && !stale) row.spark.add(live.smoothed);
    setText(row.number, tallied ? format.count(tallied.counted) : now);
    setHidden(row.now, !tallied);
    setText(row.now, `${now} in view`);
    setText(row.share, tallied ? format.shareWithInterval(tallied.share) : "");
    setText(row.field, tallied ? `${format.perField(tallied.per_field)} per field` : "");
    if (row.spark.element.classList.contains("gone") !== Boolean(tallied)) {
      row.spark.element.classList.toggle("gone", Boolean(tallied));
    }
  }
}

function makeRow(id, label, colour, at) {
  const parts = {
    number: make("span", { className: "row-number" }, "–"),
    now: make("span", { className: "row-now", hidden: true }),
    share: make("span", { className: "row-share" }),
    field: make("span", { className: "row-field" }),
    mask: make("span", { className: "row-mask" }),
    spark: new Spark(),
  };
  const button = make("button", {
    type: "button", className: "row", "aria-pressed": "true", "aria-keyshortcuts": String(at + 1),
    title: `Show or hide these masks (${at + 1})`, data: { classId: id },
  },
    make("span", { className: "row-name" }, label, parts.mask), parts.number,
    make("span", { className: "row-facts" }, parts.spark.element, parts.share, parts.field), parts.now);
  button.style.setProperty("--class-colour", colour);
  return { button, ...parts };
}
