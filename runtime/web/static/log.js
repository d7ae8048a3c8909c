// The tab for what happened: governor, camera, faults, commands; and how the machine fares.

import { get } from "/static/api.js";
import { byId, make, makeFact, rebuild } from "/static/dom.js";
import * as format from "/static/format.js";
import { isOpen, whenOpened } from "/static/tabs.js";

const KEPT = 300;
const SHOWN = 100;
const REFRESH_MS = 1500;

const faults = make("ul", { className: "faults" });
const list = make("ol", { id: "events", className: "events" });
const facts = make("dl", { className: "facts" });
const fact = {};
for (const name of ["Running for", "Temperatures", "Slowed by", "Power mode", "Memory free", "Pages open", "hemonode"]) fact[name] = makeFact(facts, name);
byId("panel-log").append(make("h2", {}, "What happened"), faults, list, make("h2", {}, "This machine"), facts);

let events = [];
let asking = false;

whenOpened("log", refresh);
setInterval(() => { if ((isOpen("log") || isOpen("solver")) && !document.hidden) refresh(); }, REFRESH_MS);

// The last events of a kind, newest first.
export const latestEvents = (kind, most) => events.filter((event) => event.kind === kind).slice(-most).reverse();

export function eventLine({ at, kind, message }) {
  return make("li", { data: { kind } }, make("time", { dateTime: at }, format.clock(at)), make("span", {}, message));
}

// hemonode was started again: its events count from 1 anew.
export function forgetEvents() { events = []; }

async function refresh() {
  if (asking) return;
  asking = true;
  try {
    const told = await get(`/api/events?after=${events.at(-1)?.number ?? 0}`);
    events = [...events, ...told].slice(-KEPT);
    if (isOpen("log")) rebuild(list, events.at(-1)?.number ?? 0, () => events.slice(-SHOWN).reverse().map(eventLine));
  } catch {
    // The page says already that the connection is lost; the next time asks for the same events.
  } finally {
    asking = false;
  }
}

export function showLog(status) {
  if (!isOpen("log")) return;
  const { host } = status;
  rebuild(faults, status.faults, () => status.faults.map(({ origin, message, count, age_s: age }) =>
    make("li", {}, make("b", {}, origin), ` ${message} (${count === 1 ? "" : `${format.count(count)} times, `}${format.duration(age)} ago)`)));
  fact["Running for"](format.duration(status.uptime_s));
  const degrees = Object.entries(host.temperatures_c).map(([sensor, value]) => `${sensor} ${value.toFixed(0)} °C`);
  fact.Temperatures(degrees.join(", ") || "not told");
  fact["Slowed by"](host.throttled_by.join(", ") || "nothing");
  fact["Power mode"](host.power_mode ?? "not told");
  fact["Memory free"](format.bytes(host.memory_free_bytes));
  fact["Pages open"](format.count(status.pages));
  fact.hemonode(status.hemonode);
}
