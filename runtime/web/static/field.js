// "Count this field": the picture stands still with every counted cell marked, beside its counts and what speaks against them.

import { post } from "/static/api.js";
import { byId, make, setHidden, setText } from "/static/dom.js";
import * as format from "/static/format.js";
import { attempt } from "/static/messages.js";
import { openTab } from "/static/tabs.js";

const GOES_ON_AFTER_S = 6;

export class FieldCard {
  #hold;
  #release;
  #classes;
  #timer = 0;
  #box = byId("field-card");
  #busy = false;
  #clock = make("p", { className: "note", "aria-hidden": "true" });

  // `hold()` freezes the picture and gives its packet's number; `release()` lets it run; `classes()` are the countable ones.
  constructor(hold, release, classes) {
    this.#hold = hold;
    this.#release = release;
    this.#classes = classes;
  }

  get open() { return !this.#box.hidden; }

  // Whether it goes on by itself.
  get hurries() { return this.open && this.#timer !== 0; }

  // Counts what is shown; again: goes on.
  async count() {
    if (this.open) return this.goOn();
    if (this.#busy) return undefined;
    this.#busy = true;
    const packet = this.#hold();
    const field = await attempt(() => post("/api/fields", packet === null ? {} : { packet }));
    this.#busy = false;
    if (!field) return this.#release();
    return this.#show(field);
  }

  goOn() {
    if (!this.open) return;
    this.#stopClock();
    setHidden(this.#box, true);
    this.#release();
  }

  stay() {
    this.#stopClock();
    setHidden(this.#clock, true);
  }

  #show(field) {
    openTab("count");
    this.#box.replaceChildren(
      make("h2", { id: "field-title" }, "This field"),
      make("ul", { className: "warnings" }, ...field.warnings.map((warning) => make("li", {}, warning))),
      make("dl", { className: "field-counts" }, ...this.#classes().flatMap((one) => figures(one, field))),
      make("p", { className: "note" },
        "Filled marks are counted; hollow ones are cut by the right or bottom edge and belong to the next field."),
      make("p", { className: "note" }, picture(field)), this.#clock,
    );
    setHidden(this.#box, false);
    // With something to read, nobody is hurried.
    if (field.warnings.length === 0) this.#goOnLater();
    else this.stay();
  }

  #goOnLater() {
    let left = GOES_ON_AFTER_S;
    const tell = () => setText(this.#clock, `Goes on by itself in ${left} s.`);
    tell();
    setHidden(this.#clock, false);
    this.#timer = setInterval(() => {
      left -= 1;
      if (left > 0) tell();
      else this.goOn();
    }, 1000);
  }

  #stopClock() {
    clearInterval(this.#timer);
    this.#timer = 0;
  }
}

function figures({ id, label, colour }, field) {
  const term = make("dt", {}, label);
  term.style.setProperty("--class-colour", colour);
  const cut = (field.visible[id] ?? 0) - (field.counts[id] ?? 0);
  return [term, make("dd", {},
    make("b", {}, format.count(field.counts[id] ?? 0)),
    make("small", {}, cut > 0 ? ` and ${format.count(cut)} cut` : ""))];
}

function picture({ session, id }) {
  const href = `/api/sessions/${encodeURIComponent(session)}/fields/${encodeURIComponent(id)}/picture?kind=overlay`;
  return make("a", { href, target: "_blank" }, "Open the picture that was kept");
}
