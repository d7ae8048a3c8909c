// After a tally: its figures once more, its report and table, and the way to the next sample.

import { byId, make, setHidden } from "/static/dom.js";
import * as format from "/static/format.js";
import { exportLinks } from "/static/kept.js";
import { openTab } from "/static/tabs.js";

const box = byId("done-card");

export function hideDone() { setHidden(box, true); }

export function showDone(tally, classes, session) {
  openTab("count");
  box.replaceChildren(
    make("h2", { id: "done-title" }, `Finished: ${tally.name || "sample without a name"}`),
    make("p", { className: "note" },
      `${format.plural(tally.cells, "cell")} in ${format.rounded(tally.fields)} fields, ${format.duration(tally.seconds)}.`),
    make("table", {},
      make("thead", {}, make("tr", {}, ...["", "n", "share", "per field"].map((title) => make("th", { scope: "col" }, title)))),
      make("tbody", {}, ...tally.classes.map((one) => row(one, classes)))),
    make("p", { className: "note" }, "95 % intervals in brackets."),
    session ? exportLinks(session) : make("p", { className: "note" }, "Nothing was recorded."),
    make("button", { type: "button", className: "plain", onclick: hideDone }, "Close"),
  );
  setHidden(box, false);
  box.querySelector("button").focus();
}

function row({ id, name, counted, share, per_field: perField }, classes) {
  const label = classes.find((one) => one.id === id)?.label ?? name;
  return make("tr", {},
    make("th", { scope: "row" }, label), make("td", {}, format.count(counted)),
    make("td", {}, format.shareWithInterval(share)), make("td", {}, format.perField(perField)));
}
