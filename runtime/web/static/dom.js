// Small helpers for the document. Text from the server is only ever set as text.

export const byId = (id) => document.getElementById(id);

// An element with a class, attributes or properties, and children (elements or text).
export function make(name, options = {}, ...children) {
  const { className, data, ...rest } = options;
  const element = document.createElement(name);
  if (className) element.className = className;
  for (const [key, value] of Object.entries(data ?? {})) element.dataset[key] = value;
  for (const [key, value] of Object.entries(rest)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key in element && !key.includes("-")) element[key] = value;
    else element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

// Nothing is touched that did not change: no layout, and screen readers stay quiet.
export function setText(element, value) {
  const text = String(value);
  if (element.textContent !== text) element.textContent = text;
}

export function setHidden(element, hidden) {
  if (element.hidden !== hidden) element.hidden = hidden;
}

export function setAttribute(element, name, value) {
  const text = String(value);
  if (element.getAttribute(name) !== text) element.setAttribute(name, text);
}

// Runs `build` on `parent` only when `key` differs from the last time, so that focus and open lists survive.
const built = new WeakMap();
export function rebuild(parent, key, build) {
  const text = JSON.stringify(key);
  if (built.get(parent) === text) return false;
  built.set(parent, text);
  parent.replaceChildren(...build());
  return true;
}

const SVG = "http://www.w3.org/2000/svg";
export function svg(name, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

// A switch with its label: a button that says whether it is on.
export function makeSwitch(label, on, change, hint = "") {
  const button = make("button", { type: "button", className: "switch", role: "switch", "aria-checked": String(on) },
    make("span", { className: "switch-label" }, label, hint ? make("small", {}, hint) : null),
    make("span", { className: "switch-knob", "aria-hidden": "true" }));
  button.addEventListener("click", () => change(button.getAttribute("aria-checked") !== "true"));
  return button;
}

// A figure with its name; `set` changes the figure.
export function makeFact(list, name) {
  const value = make("dd", {}, "–");
  list.append(make("dt", {}, name), value);
  return (text) => setText(value, text);
}
