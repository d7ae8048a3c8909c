// What this browser remembers of a person's choices; a browser that forbids it forgets them with the page.

const PREFIX = "hemonode-";

export function remember(name, value) {
  try { localStorage.setItem(PREFIX + name, JSON.stringify(value)); } catch { /* private window: nothing is kept */ }
}

export function recall(name, otherwise) {
  try {
    const kept = localStorage.getItem(PREFIX + name);
    return kept === null ? otherwise : JSON.parse(kept);
  } catch { return otherwise; }
}
