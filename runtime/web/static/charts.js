// Small line charts: cells in view over the last minute, and cells per field as the tally grew.

import { setAttribute, svg } from "/static/dom.js";

const SPARK_POINTS = 120;

// The last minute of one class's count in view, at two points a second.
export class Spark {
  element = svg("svg", { viewBox: "0 0 120 24", class: "spark", preserveAspectRatio: "none", "aria-hidden": "true" });
  #line = svg("polyline", { points: "" });
  #values = [];

  constructor() { this.element.append(this.#line); }

  add(value) {
    this.#values.push(value);
    if (this.#values.length > SPARK_POINTS) this.#values.shift();
    const most = Math.max(4, ...this.#values);
    const right = SPARK_POINTS - this.#values.length;
    setAttribute(this.#line, "points", this.#values.map((y, x) => `${x + right},${(22 - 20 * y / most).toFixed(1)}`).join(" "));
  }
}

// Cells per field of the goal's class, over the area covered.
export class Trend {
  element = svg("svg", { viewBox: "0 0 300 64", class: "trend", preserveAspectRatio: "none", role: "img" });
  #line = svg("polyline", { points: "" });

  constructor() { this.element.append(this.#line); }

  show(points, classId, label) {
    const rates = points.filter(({ fields }) => fields > 0)
      .map(({ fields, counted }) => ({ fields, rate: (counted[classId] ?? 0) / fields }));
    this.element.classList.toggle("gone", rates.length < 2);
    if (rates.length < 2) return;
    const most = Math.max(...rates.map(({ rate }) => rate)) || 1;
    const [first, last] = [rates[0].fields, rates.at(-1).fields];
    const x = (fields) => 300 * (fields - first) / Math.max(1e-9, last - first);
    setAttribute(this.#line, "points", rates.map(({ fields, rate }) => `${x(fields).toFixed(1)},${(60 - 54 * rate / most).toFixed(1)}`).join(" "));
    setAttribute(this.element, "aria-label", `${label} per field from the first to the last of ${last.toFixed(1)} fields`);
  }
}
