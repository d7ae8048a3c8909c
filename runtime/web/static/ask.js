// A question before something that cannot be taken back.

import { byId, make } from "/static/dom.js";

// True: yes. Escape and the other button mean no.
export function ask(question, explanation, yes, no) {
  const dialog = byId("ask");
  return new Promise((answer) => {
    const button = (text, value, primary) => make("button", {
      type: "button", className: primary ? "big primary" : "big", onclick: () => dialog.close(value),
    }, text);
    dialog.replaceChildren(
      make("h2", { id: "ask-title" }, question), make("p", {}, explanation),
      make("div", { className: "buttons" }, button(yes, "yes", true), button(no, "no", false)),
    );
    dialog.returnValue = "no";
    dialog.addEventListener("close", () => answer(dialog.returnValue === "yes"), { once: true });
    dialog.showModal();
  });
}
