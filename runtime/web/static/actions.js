// The big buttons: start, count this field, pause, resume, new area, finish; the one to press next stands out.

import { get, post } from "/static/api.js";
import { ask } from "/static/ask.js";
import { byId, make, rebuild, setHidden, setText } from "/static/dom.js";
import * as format from "/static/format.js";
import { running } from "/static/guide.js";
import { attempt } from "/static/messages.js";
import { isOpen, openTab } from "/static/tabs.js";

const PERCENTS = [4, 5, 10, 15, 25];
const Z_95 = 1.959964;

const KEYS = { start: "T", field: "C", pause: "P", resume: "P", new_area: "N", finish: "E", go_on: "C" };
const LABELS = {
  start: "Start tally", field: "Count this field", pause: "Pause", resume: "Resume", new_area: "New area", finish: "Finish",
  go_on: "Go on", stay: "Stay",
};

export class Actions {
  #status = null;
  #card;
  #became;
  #finished;
  #busy = false;
  #wasRunning = null;
  #interrupted = null;

  // `card` counts what is shown; `became(tally)` hears at once what a command made of the tally; `finished(tally, session)`
  // gets its last figures.
  constructor(card, became, finished) {
    this.#card = card;
    this.#became = became;
    this.#finished = finished;
    byId("start-form").addEventListener("submit", (event) => { event.preventDefault(); this.start(); });
    byId("goal-percent").addEventListener("change", () => this.#explainGoal());
  }

  show(status) {
    this.#status = status;
    const { tally } = status;
    setHidden(byId("start-form"), running(tally) || this.#card.open);
    this.#fillForm(status);
    if (!running(tally) && this.#wasRunning !== false) this.#lookForInterrupted();
    this.#wasRunning = running(tally);
    const [names, next] = offered(tally, this.#card, this.#interrupted);
    const box = byId("buttons");
    const hadFocus = box.contains(document.activeElement);
    const changed = rebuild(box, [names, next, this.#interrupted], () => names.map((name) => this.#button(name, name === next)));
    if (changed && hadFocus) box.querySelector("button")?.focus();
  }

  start() {
    const name = byId("sample").value.trim() || byId("sample").placeholder;
    return this.#command({
      action: "start",
      name,
      goal_percent: Number(byId("goal-percent").value),
      goal_class: Number(byId("goal-class").value),
    });
  }

  // A tally that ended with the power, say, goes on where it was.
  proceed() { return this.#command({ action: "start", proceed: true }); }

  pauseOrResume() {
    const state = this.#status?.tally.state;
    if (state === undefined || state === "off") return undefined;
    return this.#command({ action: state === "paused" ? "resume" : "pause" });
  }

  newArea() { return this.#running() ? this.#command({ action: "new_area" }) : undefined; }

  // To the name of the sample, from where Enter starts; the key does not start by itself.
  begin() {
    if (this.#running() || this.#card.open) return;
    openTab("count");
    byId("sample").focus();
    byId("sample").select();
  }

  async finish() {
    if (!this.#running()) return;
    const { tally } = this.#status;
    const sure = await ask(
      `Finish “${tally.name}”?`,
      `${format.plural(tally.cells, "cell")} in ${format.rounded(tally.fields)} fields. A finished tally is kept and cannot be gone on with.`,
      "Finish tally", "Keep counting",
    );
    if (!sure) return;
    // What was counted while the question stood is told by the pause; a finished tally has no figures.
    const last = this.#status.tally.state === "paused" ? this.#status.tally : await this.#command({ action: "pause" });
    // Where it is recorded, asked for: the status that was shown last may be older than the tally.
    const latest = last && await attempt(() => get("/api/status"));
    if (latest && await this.#command({ action: "finish" })) this.#finished(last, latest.recorder.session);
  }

  async #lookForInterrupted() {
    let sessions = [];
    // The recorder's own troubles are shown elsewhere; without a list nothing is offered.
    try { sessions = await get("/api/sessions"); } catch { /* as above */ }
    this.#interrupted = sessions[0]?.state === "interrupted" ? sessions[0].name : null;
  }

  #running() { return this.#status !== null && running(this.#status.tally); }

  async #command(wish) {
    if (this.#busy) return undefined;
    this.#busy = true;
    try {
      const tally = await attempt(() => post("/api/tally", wish));
      if (tally) this.#became(tally);
      return tally;
    } finally {
      this.#busy = false;
    }
  }

  #button(name, primary) {
    const act = {
      // Where the name is not in sight, it comes first.
      start: () => (isOpen("count") ? this.start() : this.begin()),
      field: () => this.#card.count(),
      go_on: () => this.#card.goOn(),
      stay: () => this.#card.stay(),
      pause: () => this.pauseOrResume(),
      resume: () => this.pauseOrResume(),
      new_area: () => this.newArea(),
      finish: () => this.finish(),
      proceed: () => this.proceed(),
    }[name];
    const wide = primary || name === "field" || name === "proceed";
    return make("button", {
      type: "button", id: `do-${name}`, className: `big ${primary ? "primary" : ""} ${wide ? "wide" : ""}`,
      ...(KEYS[name] ? { title: `Key ${KEYS[name]}`, "aria-keyshortcuts": KEYS[name].toLowerCase() } : {}), onclick: act,
    }, name === "proceed" ? `Go on with “${this.#interrupted}”` : LABELS[name], wide && KEYS[name] ? make("kbd", { "aria-hidden": "true" }, KEYS[name]) : null);
  }

  #fillForm({ classes, tally }) {
    const countable = classes.filter((one) => one.countable);
    const [select, percents, sample] = [byId("goal-class"), byId("goal-percent"), byId("sample")];
    rebuild(select, countable, () => countable.map(({ id, label }) =>
      make("option", { value: String(id), selected: id === tally.goal_class }, label.toLowerCase())));
    const choices = [...new Set([...PERCENTS, tally.goal_percent])].filter((value) => value > 0).sort((a, b) => a - b);
    if (rebuild(percents, choices, () => choices.map((value) =>
      make("option", { value: String(value), selected: value === tally.goal_percent }, `±${format.figure(value)} %`)))) {
      this.#explainGoal();
    }
    // What it is called where nobody gives it a name: renewed while the form is untouched.
    if (sample.value === "" && document.activeElement !== sample) {
      const now = new Date();
      sample.placeholder = `Sample ${String(now.getHours()).padStart(2, "0")}:${String(now.getMinutes()).padStart(2, "0")}`;
    }
    if (running(tally) && sample.value !== "") sample.value = "";
  }

  #explainGoal() {
    const cells = Math.round((100 * Z_95 / Number(byId("goal-percent").value)) ** 2);
    setText(byId("goal-cells"), `${format.count(cells)} cells`);
  }
}

// What can be done now, in the order of the buttons, and which of it comes next.
function offered(tally, card, interrupted) {
  if (card.open) return [card.hurries ? ["go_on", "stay"] : ["go_on"], "go_on"];
  switch (tally.state) {
    case "off": return [["start", ...(interrupted === null ? [] : ["proceed"]), "field"], "start"];
    case "counting":
    case "refused": return tally.progress >= 1
      ? [["finish", "field", "pause", "new_area"], "finish"]
      : [["field", "pause", "new_area", "finish"], null];
    case "lost": return [["new_area", "field", "pause", "finish"], "new_area"];
    case "paused": return [["resume", "field", "new_area", "finish"], "resume"];
    default: return [["finish", "field"], "finish"];
  }
}
