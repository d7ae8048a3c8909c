// The bar that says how long so many micrometres are in the picture; it follows the zoom.

import { byId, setHidden, setText } from "/static/dom.js";

const LONGEST_PX = 160;

const bar = byId("scale-bar");
const [rule, label] = bar.children;

// `umPerPx`: micrometres per pixel of the page, or null where the bar is not wanted.
export function showScaleBar(umPerPx) {
  setHidden(bar, umPerPx === null);
  if (umPerPx === null) return;
  const um = roundLength(LONGEST_PX * umPerPx);
  rule.style.width = `${(um / umPerPx).toFixed(1)}px`;
  setText(label, `${um} µm`);
}

// The largest of 1, 2, 5, 10, 20, … that is not above `most`.
function roundLength(most) {
  const ten = 10 ** Math.floor(Math.log10(most));
  const length = [5, 2, 1].find((times) => times * ten <= most) * ten;
  return Number(length.toPrecision(1));
}
