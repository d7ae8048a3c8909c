// Figures as a person reads them: rounded to what they are worth, with units.

const EN = "en-GB";
const whole = new Intl.NumberFormat(EN, { maximumFractionDigits: 0 });

export const count = (value) => whole.format(value);

export function rounded(value, digits = 1) {
  return value === null || value === undefined ? "–" : value.toFixed(digits);
}

// Three significant digits at most, never an exponent.
export function figure(value) {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value);
  return whole.format(value) === "0" || size < 100 ? value.toFixed(size >= 10 ? 1 : 2).replace(/\.?0+$/, "") : whole.format(value);
}

export const milliseconds = (value) => (value < 10 ? value.toFixed(1) : whole.format(value));

export function percent(share) {
  if (share === null || share === undefined) return "–";
  return `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
}

// "3.1 % (2.3–4.1)": the interval without a second unit.
export function shareWithInterval({ value, low, high }) {
  if (value === null) return "–";
  const digits = value < 0.1 ? 1 : 0;
  const bare = (share) => (100 * share).toFixed(digits);
  return low === null || high === null ? percent(value) : `${percent(value)} (${bare(low)}–${bare(high)})`;
}

export function perField({ value, low, high }) {
  if (value === null) return "–";
  const digits = value < 10 ? 1 : 0;
  const bare = (cells) => cells.toFixed(digits);
  return low === null || high === null ? bare(value) : `${bare(value)} (${bare(low)}–${bare(high)})`;
}

export function duration(seconds) {
  const all = Math.floor(seconds);
  const [hours, minutes, rest] = [Math.floor(all / 3600), Math.floor((all % 3600) / 60), all % 60];
  const two = (value) => String(value).padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

export function bytes(value) {
  if (value === null || value === undefined) return "–";
  const units = ["B", "kB", "MB", "GB", "TB"];
  let at = 0;
  let left = value;
  while (left >= 1000 && at < units.length - 1) { left /= 1000; at += 1; }
  return `${left < 10 && at > 0 ? left.toFixed(1) : whole.format(left)} ${units[at]}`;
}

export function clock(when) {
  return new Date(when).toLocaleTimeString(EN, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
}

export function dayAndTime(when) {
  return new Date(when).toLocaleString(EN, { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });
}

export const plural = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;

export const tolerance = (value) => value.toExponential(1).replace(".0e", "e");

export function error(value) {
  return value === 0 || (value >= 0.01 && value < 1000) ? figure(value) : tolerance(value);
}
