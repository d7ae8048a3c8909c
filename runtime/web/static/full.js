// Full screen: the picture alone, with big counts over it and the buttons below.

import { byId, make, rebuild, setAttribute, setText } from "/static/dom.js";
import * as format from "/static/format.js";
import { running } from "/static/guide.js";

export class Full {
  #root = document.documentElement;
  #hud = byId("hud");

  constructor() {
    byId("toggle-full").addEventListener("click", () => this.flip());
    byId("leave-full").addEventListener("click", () => this.flip());
    // Leaving by the browser's own way, too.
    document.addEventListener("fullscreenchange", () => { if (!document.fullscreenElement) this.#set(false); });
  }

  get on() { return this.#root.dataset.view === "picture"; }

  async flip() {
    const wanted = !this.on;
    this.#set(wanted);
    // Where the browser has no full screen (an iPhone, say), the picture still fills the window.
    try {
      if (wanted) await this.#root.requestFullscreen?.();
      else if (document.fullscreenElement) await document.exitFullscreen();
    } catch { /* refused: the window is filled all the same */ }
  }

  show({ tally, counts }, classes) {
    if (!this.on) return;
    rebuild(this.#hud, classes, () => classes.map(({ label, colour }) => {
      const line = make("p", {}, make("span", {}, label), make("b"));
      line.style.setProperty("--class-colour", colour);
      return line;
    }));
    classes.forEach(({ id }, at) => {
      const told = running(tally) ? tally.classes.find((one) => one.id === id)?.counted : counts.find((one) => one.id === id)?.smoothed;
      setText(this.#hud.children[at].lastChild, told === undefined ? "–" : format.count(Math.round(told)));
    });
  }

  #set(wanted) {
    this.#root.dataset.view = wanted ? "picture" : "whole";
    setAttribute(byId("toggle-full"), "aria-pressed", wanted);
  }
}
