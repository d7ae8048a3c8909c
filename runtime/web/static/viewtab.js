// The tab for how the picture is shown: masks, opacity, outlines, marks, scale bar, numbers, scale.

import { post } from "/static/api.js";
import { byId, make, makeSwitch, setAttribute, setText } from "/static/dom.js";
import { keysWanted, wantKeys } from "/static/keys.js";
import { attempt, showNote } from "/static/messages.js";
import { recall, remember } from "/static/store.js";

const SOURCES = { given: "given", um_per_px: "from µm per pixel", estimated: "measured" };

export class ViewTab {
  #painter;
  // What was remembered by an earlier version may lack the newest switch.
  #look = { opacity: 0.26, outlinesOnly: false, centres: false, scaleBar: true, ...recall("look", {}) };
  #masks = true;
  #opacity;
  #switches = {};
  #redCell = make("output", { className: "number" }, "–");

  constructor(painter) {
    this.#painter = painter;
    this.#opacity = make("input", {
      id: "opacity", type: "range", min: "0", max: "100", step: "2", value: String(Math.round(100 * this.#look.opacity)),
    });
    this.#opacity.addEventListener("input", () => this.#set({ opacity: this.#opacity.valueAsNumber / 100 }));
    this.#switches.outlines = makeSwitch("Outlines only", this.#look.outlinesOnly, () => this.flipOutlines(), "O");
    this.#switches.centres = makeSwitch("Mark cells and counting frame", this.#look.centres, () => this.flipCentres(), "X");
    this.#switches.scaleBar = makeSwitch("Scale bar", this.#look.scaleBar, (on) => this.#set({ scaleBar: on }));
    this.#switches.big = makeSwitch("Big numbers, for across the room", false, () => this.flipBig(), "B");
    this.#switches.keys = makeSwitch("Single keys act", keysWanted(), (on) => this.#keys(on));
    byId("panel-view").append(
      make("h2", {}, "Masks"),
      make("label", { className: "slider" }, make("span", {}, "Opacity"), this.#opacity),
      this.#switches.outlines, this.#switches.centres, this.#switches.scaleBar,
      make("h2", {}, "Page"), this.#switches.big, this.#switches.keys,
      make("h2", {}, "Scale"), this.#scale(),
    );
    byId("toggle-masks").addEventListener("click", () => this.flipMasks());
    if (recall("big", false)) this.flipBig();
    this.#set({});
  }

  show() {
    const header = this.#painter.header;
    if (header) setText(this.#redCell, `${header.red_cell_px.toFixed(1)} px, ${SOURCES[header.scale_source] ?? header.scale_source}`);
  }

  flipMasks() {
    this.#masks = !this.#masks;
    setAttribute(byId("toggle-masks"), "aria-pressed", this.#masks);
    this.#set({});
  }

  flipOutlines() { this.#set({ outlinesOnly: !this.#look.outlinesOnly }); }
  flipCentres() { this.#set({ centres: !this.#look.centres }); }

  flipBig() {
    const big = document.documentElement.dataset.size !== "big";
    document.documentElement.dataset.size = big ? "big" : "usual";
    setAttribute(this.#switches.big, "aria-checked", big);
    remember("big", big);
  }

  fade(by) {
    this.#opacity.value = String(this.#opacity.valueAsNumber + 100 * by);
    this.#set({ opacity: this.#opacity.valueAsNumber / 100 });
  }

  #set(changes) {
    Object.assign(this.#look, changes);
    remember("look", this.#look);
    setAttribute(this.#switches.outlines, "aria-checked", this.#look.outlinesOnly);
    setAttribute(this.#switches.centres, "aria-checked", this.#look.centres);
    setAttribute(this.#switches.scaleBar, "aria-checked", this.#look.scaleBar);
    this.#painter.look({ ...this.#look, masks: this.#masks });
  }

  #keys(on) {
    wantKeys(on);
    setAttribute(this.#switches.keys, "aria-checked", on);
  }

  #scale() {
    const input = make("input", { id: "red-cell-px", type: "number", min: "5", max: "1000", step: "0.1", placeholder: "px", "aria-label": "Red-cell diameter, pixels" });
    const give = async (event) => {
      event.preventDefault();
      if (!(input.valueAsNumber > 0)) return;
      if (await attempt(() => post("/api/scale", { red_cell_px: input.valueAsNumber }))) input.value = "";
    };
    const again = async () => {
      const answer = await attempt(() => post("/api/scale"));
      if (answer) showNote(answer.measuring ? "Measuring the red cells in the next pictures." : "The scale was given, not measured.");
    };
    return make("form", { className: "stack", onsubmit: give },
      make("p", { className: "line" }, make("span", {}, "A red cell measures"), this.#redCell),
      make("div", { className: "inline" }, input, make("button", { type: "submit", className: "plain" }, "Set"),
        make("button", { type: "button", id: "measure-scale", className: "plain", onclick: again }, "Measure again")));
  }
}
