// Sentences over the picture: what went wrong, what was done, what is in trouble.

import { byId, make, setHidden, setText } from "/static/dom.js";

const NOTE_MS = 6000;
const ERROR_MS = 20_000;

let leaves = 0;

function showError(error) { show(error.message ?? String(error), "error", ERROR_MS); }

// `link`: { text, href } of what was made.
export function showNote(sentence, link = null) { show(sentence, "note", NOTE_MS, link); }

export function hideMessage() {
  clearTimeout(leaves);
  setHidden(byId("message"), true);
}

// What stays until it is over: lost connection, lost camera, trouble. Null: all is well.
export function showTrouble(sentence) {
  const box = byId("trouble");
  setHidden(box, sentence === null);
  if (sentence !== null) setText(box, sentence);
}

// Runs a request; a refusal is shown, and gives undefined.
export async function attempt(request) {
  try {
    return await request();
  } catch (error) {
    showError(error);
    return undefined;
  }
}

function show(sentence, kind, forMs, link = null) {
  clearTimeout(leaves);
  const box = byId("message");
  box.dataset.kind = kind;
  byId("message-text").replaceChildren(sentence, ...(link ? [" ", make("a", { href: link.href, target: "_blank" }, link.text)] : []));
  setHidden(box, false);
  leaves = setTimeout(hideMessage, forMs);
}

byId("message-close").addEventListener("click", hideMessage);
