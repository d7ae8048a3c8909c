// Puts the page together: what hemonode tells goes to the parts, what the person presses to hemonode.

import { Actions } from "/static/actions.js";
import { get, post } from "/static/api.js";
import { showCamera } from "/static/camera.js";
import { Counts } from "/static/counts.js";
import { byId, setAttribute, setHidden, setText } from "/static/dom.js";
import { hideDone, showDone } from "/static/done.js";
import { FieldCard } from "/static/field.js";
import { Full } from "/static/full.js";
import { guide, running } from "/static/guide.js";
import { flipPictures, showKept } from "/static/kept.js";
import * as keys from "/static/keys.js";
import { Lens } from "/static/lens.js";
import { forgetEvents, showLog } from "/static/log.js";
import { attempt, hideMessage, showNote, showTrouble } from "/static/messages.js";
import { Painter } from "/static/painter.js";
import { showProgress } from "/static/progress.js";
import { showReadings } from "/static/readings.js";
import { showSolver } from "/static/solver.js";
import { openStream } from "/static/stream.js";
import { ViewTab } from "/static/viewtab.js";

const ANSWER_HOLDS_MS = 1000;

let status = null;
let connected = false;
let frozen = false;
let countable = [];
let turnedAway = "";
// What a command made of the tally; a status that was on its way before must not undo it for a moment.
let answered = { tally: null, until: 0 };

const lens = new Lens(byId("view"));
const painter = new Painter(lens);
const look = new ViewTab(painter);
const full = new Full();
const counts = new Counts((id, shown) => painter.showClass(id, shown));
const card = new FieldCard(holdField, releaseField, () => countable);
const actions = new Actions(card, tallyBecame, (tally, session) => showDone(tally, countable, session));

const stream = openStream({
  async result(result) {
    // One drawing per screen refresh is all that can be seen. Asked after it: what stands still now stays.
    await new Promise(requestAnimationFrame);
    if (frozen) result.picture.close();
    else painter.show(result);
  },
  status(latest) {
    if (status && latest.uptime_s < status.uptime_s) forgetEvents();
    const late = latest.tally.state !== answered.tally?.state && performance.now() < answered.until;
    status = late ? { ...latest, tally: answered.tally } : latest;
    show();
  },
  connection(open) {
    connected = open;
    if (open) turnedAway = "";
    describe();
  },
  cut(reason) {
    turnedAway = reason;
    describe();
    // A stream that is refused does not say why: a session that ended with the server leads to the login.
    get("/api/status").catch(() => {});
  },
});

function tallyBecame(tally) {
  answered = { tally, until: performance.now() + ANSWER_HOLDS_MS };
  status = { ...status, tally };
  show();
}

function show() {
  countable = status.classes.filter((one) => one.countable);
  const goal = countable.find(({ id }) => id === status.tally.goal_class)?.label ?? "Cells";
  painter.setClasses(status.classes);
  setText(byId("source-name"), status.source.name);
  counts.show(status, countable);
  showProgress(status, goal);
  showReadings(status);
  actions.show(status);
  full.show(status, countable);
  look.show();
  showCamera(status);
  showSolver(status);
  showKept(status);
  showLog(status);
  if (running(status.tally)) hideDone();
  const { next, verdict, tone } = guide(status, goal);
  setText(byId("next-step"), card.open ? "The picture stands still, with the counted cells marked." : next);
  setHidden(byId("verdict"), verdict === null || verdict === undefined || frozen);
  setText(byId("verdict"), verdict ?? "");
  byId("verdict").dataset.tone = tone ?? "quiet";
  describe();
}

// What is wrong stands over the picture, and the picture fades where it is old.
function describe() {
  let state = status?.state ?? "starting";
  let label = status?.label ?? "Starting";
  let message = status?.message ?? null;
  if (!connected) {
    [state, label] = ["trouble", status === null && !turnedAway ? "Connecting" : "Disconnected"];
    message = turnedAway || (status === null ? null : "No connection to hemonode; trying again. What is shown is old.");
  } else if (frozen) [state, label] = ["frozen", "Frozen"];
  const pill = byId("pill");
  pill.dataset.state = state;
  setText(pill, label);
  showTrouble(message);
  const stale = !connected || (status?.stale ?? false);
  setAttribute(document.documentElement, "data-stale", stale);
  setText(byId("counts-now"), stale ? "Last seen" : "In view now");
  setHidden(byId("live-mark"), stale);
}

function freeze(wanted) {
  frozen = wanted;
  stream.pause(wanted);
  setAttribute(byId("toggle-freeze"), "aria-pressed", wanted);
  setHidden(byId("frozen"), !wanted);
  if (status) show();
}

function flipFreeze() {
  if (card.open) card.goOn();
  else freeze(!frozen);
}

function holdField() {
  freeze(true);
  painter.mark(true);
  return painter.header?.number ?? null;
}

function releaseField() {
  painter.mark(false);
  freeze(false);
}

async function snapshot() {
  const packet = painter.header?.number;
  const kept = await attempt(() => post("/api/snapshots", packet === undefined ? {} : { packet }));
  if (!kept) return;
  const href = `/api/sessions/${encodeURIComponent(kept.session)}/fields/${encodeURIComponent(kept.id)}/picture?kind=overlay`;
  showNote("Snapshot kept.", { text: "Open it", href });
}

function escape() {
  if (card.open) card.goOn();
  else if (frozen) freeze(false);
  else if (full.on) full.flip();
  else hideMessage();
}

lens.onzoom = (factor) => setText(byId("zoom-factor"), `${factor < 10 ? factor.toFixed(1).replace(".0", "") : factor.toFixed(0)}×`);
byId("zoom-in").addEventListener("click", () => lens.zoomIn());
byId("zoom-out").addEventListener("click", () => lens.zoomOut());
byId("zoom-fit").addEventListener("click", () => lens.fit());
byId("toggle-freeze").addEventListener("click", flipFreeze);
byId("snapshot").addEventListener("click", snapshot);
byId("toggle-theme").addEventListener("click", window.flipTheme);
byId("open-help").addEventListener("click", keys.showHelp);

keys.listen({
  t: () => actions.begin(), c: () => card.count(), p: () => actions.pauseOrResume(), n: () => actions.newArea(),
  e: () => actions.finish(), " ": flipFreeze, s: snapshot, r: flipPictures,
  m: () => look.flipMasks(), o: () => look.flipOutlines(), x: () => look.flipCentres(), b: () => look.flipBig(),
  "[": () => look.fade(-0.06), "]": () => look.fade(0.06),
  "+": () => lens.zoomIn(), "=": () => lens.zoomIn(), "-": () => lens.zoomOut(), 0: () => lens.fit(),
  ArrowLeft: () => lens.pan(-1, 0), ArrowRight: () => lens.pan(1, 0), ArrowUp: () => lens.pan(0, -1), ArrowDown: () => lens.pan(0, 1),
  f: () => full.flip(), d: window.flipTheme, "?": keys.showHelp, Escape: escape,
  ...Object.fromEntries([...Array(9).keys()].map((at) => [String(at + 1), () => counts.flip(at)])),
});

// For measurements and tests; nothing on the page reads it.
window.hemonode = { painter };
