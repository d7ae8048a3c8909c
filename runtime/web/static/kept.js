// The tab for what is kept: the recorder, its disk, past sessions with their fields, reports and tables.

import { download, get, post } from "/static/api.js";
import { byId, make, makeSwitch, rebuild, setAttribute, setText } from "/static/dom.js";
import * as format from "/static/format.js";
import { attempt } from "/static/messages.js";
import { isOpen, whenOpened } from "/static/tabs.js";

const FORMATS = [["html", "Report"], ["csv", "CSV"], ["cells", "Cells"], ["parquet", "Parquet"]];
const TITLES = {
  html: "To read and print: pictures, shares with intervals, and how they were made", csv: "A row for each field",
  cells: "A row for each cell", parquet: "Fields and cells for other programs",
};
const PICTURES_SHOWN = 24;
const SESSION_STATES = { recording: ", being recorded", interrupted: ", interrupted" };
const STATES = {
  off: "Nothing is recorded now.", recording: "Recording.",
  without_pictures: "Recording counts only: the disk is nearly full.", failing: "Not recording.",
};

const state = make("p", { className: "recorder-state" });
const facts = make("p", { className: "note" });
const disk = make("div", { className: "bar-meter", role: "meter", "aria-label": "Disk budget used", "aria-valuemin": "0", "aria-valuemax": "100" }, make("i"));
const pictures = makeSwitch("Keep a picture of each field", true, (on) => keepPictures(on), "R");
const list = make("div", { id: "sessions", className: "sessions" });
byId("panel-kept").append(make("h2", {}, "Recorder"), state, disk, facts, pictures, make("h2", {}, "Sessions"), list);

whenOpened("kept", refresh);

let session;

export const flipPictures = () => keepPictures(pictures.getAttribute("aria-checked") !== "true");

async function keepPictures(wanted) {
  const recorder = await attempt(() => post("/api/recording", { pictures: wanted }));
  if (recorder) setAttribute(pictures, "aria-checked", recorder.keeps_pictures);
}

export function showKept({ recorder }) {
  setAttribute(pictures, "aria-checked", recorder.keeps_pictures);
  if (recorder.session !== session) {
    session = recorder.session;
    if (isOpen("kept")) refresh();
  }
  if (!isOpen("kept")) return;
  setText(state, recorder.message ?? STATES[recorder.state] ?? recorder.state);
  state.dataset.state = recorder.state;
  const percent = Math.round(100 * Math.min(1, recorder.used_bytes / Math.max(1, recorder.budget_bytes)));
  setAttribute(disk, "aria-valuenow", percent);
  disk.firstChild.style.transform = `scaleX(${percent / 100})`;
  const waiting = recorder.waiting > 0 ? `, ${format.count(recorder.waiting)} waiting` : "";
  setText(facts, `${format.plural(recorder.fields, "field")}, ${format.plural(recorder.pictures, "picture")}${waiting}. `
    + `${format.bytes(recorder.used_bytes)} of ${format.bytes(recorder.budget_bytes)} used; ${format.bytes(recorder.free_bytes)} free.`);
}

export async function refresh() {
  const sessions = await attempt(() => get("/api/sessions"));
  if (!sessions) return;
  rebuild(list, sessions, () => sessions.length > 0
    ? sessions.map(sessionEntry)
    : [make("p", { className: "note" }, "None yet. A tally, a counted field and a snapshot are kept here.")]);
}

export function exportLinks(id) {
  return make("p", { className: "links" }, ...FORMATS.map(([kind, label]) => make("button", {
    type: "button", className: "plain", title: TITLES[kind],
    onclick: () => attempt(() => download(`/api/sessions/${encodeURIComponent(id)}/export?format=${kind}`)),
  }, label)));
}

function sessionEntry(one) {
  const detail = make("div", { className: "session-detail" });
  const entry = make("details", {},
    make("summary", {}, make("b", {}, one.name || "Without a name"),
      make("small", {}, `${format.dayAndTime(one.started)}${SESSION_STATES[one.state] ?? ""}`)),
    detail);
  entry.addEventListener("toggle", () => { if (entry.open && !detail.hasChildNodes()) fillDetail(detail, one); });
  return entry;
}

async function fillDetail(detail, one) {
  detail.append(exportLinks(one.id));
  const totals = one.classes.filter(({ countable }) => countable)
    .map(({ id, label }) => `${label} ${format.count(one.counted[id] ?? 0)}`).join(", ");
  detail.append(make("p", {}, totals));
  detail.append(make("p", { className: "note" },
    `${format.plural(one.fields, "field")}${one.area > 0 ? ` over ${format.rounded(one.area)} fields of view` : ""}, ${one.source}, ${one.bundle}.`));
  const fields = await attempt(() => get(`/api/sessions/${encodeURIComponent(one.id)}/fields?after=${Math.max(0, one.fields - PICTURES_SHOWN)}`));
  const kept = (fields ?? []).filter((field) => field.picture);
  detail.append(make("div", { className: "thumbnails" }, ...kept.map((field) => thumbnail(one.id, field))));
}

function thumbnail(id, field) {
  const address = `/api/sessions/${encodeURIComponent(id)}/fields/${encodeURIComponent(field.id)}/picture?kind=overlay`;
  return make("a", { href: address, target: "_blank" },
    make("img", { src: address, loading: "lazy", alt: `Field ${field.id} with its masks`, width: 96, height: 72 }));
}
