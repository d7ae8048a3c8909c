// Draws the latest picture, and over it the cells' outlines, tints and marks, in the screen's own pixels.

import { byId, setHidden } from "/static/dom.js";
import { traceOutlines } from "/static/outlines.js";
import { showScaleBar } from "/static/scalebar.js";

const OUTLINE_PX = 1.75;
const FRAME_COLOUR = "#f0e442";
const REMEMBERED_COSTS = 120;

export class Painter {
  #picture = byId("picture");
  #overlay = byId("overlay");
  #pen = this.#overlay.getContext("2d");
  #result = null;
  #paths = new Map();
  #colours = new Map();
  #wanted = new Uint8Array(256);
  #hidden = new Set();
  #look = { masks: true, outlinesOnly: false, opacity: 0.26, centres: false, scaleBar: true };
  #marked = false;
  #lens;
  #due = false;
  #costs = [];

  // `lens` says where the picture lies on the screen.
  constructor(lens) {
    this.#lens = lens;
    lens.onchange = () => this.#placeAndDraw();
  }

  // The header of what is shown, or null.
  get header() { return this.#result?.header ?? null; }

  // Milliseconds of the last packets' drawing on the page's own thread, for measurements.
  get costs() { return this.#costs; }

  setClasses(classes) {
    const colours = new Map(classes.map(({ id, colour }) => [id, colour]));
    if ([...colours].toString() === [...this.#colours].toString()) return;
    this.#colours = colours;
    this.#trace();
  }

  showClass(id, shown) {
    if (shown) this.#hidden.delete(id);
    else this.#hidden.add(id);
    this.#trace();
  }

  look(changes) {
    Object.assign(this.#look, changes);
    this.#placeAndDraw();
  }

  // Marks every cell and the counting frame, whatever the person chose: what was counted is shown.
  mark(wanted) {
    this.#marked = wanted;
    this.#placeAndDraw();
  }

  show(result) {
    const began = performance.now();
    this.#result = result;
    const { picture } = result;
    if (this.#picture.width !== picture.width) this.#picture.width = picture.width;
    if (this.#picture.height !== picture.height) this.#picture.height = picture.height;
    this.#lens.setPicture(picture.width, picture.height);
    // The decoded picture is handed over, not copied; the screen's compositor scales it.
    this.#picture.getContext("bitmaprenderer").transferFromImageBitmap(picture);
    setHidden(byId("placeholder"), true);
    this.#retrace();
    this.#draw();
    this.#costs.push(performance.now() - began);
    if (this.#costs.length > REMEMBERED_COSTS) this.#costs.shift();
  }

  #trace() {
    this.#wanted.fill(0);
    for (const id of this.#colours.keys()) if (id !== 0 && !this.#hidden.has(id)) this.#wanted[id] = 1;
    this.#retrace();
    this.#placeAndDraw();
  }

  #retrace() {
    if (!this.#result || !this.#look.masks) return;
    const { mask_width: width, mask_height: height } = this.#result.header;
    this.#paths = traceOutlines(this.#result.classIds, width, height, this.#wanted);
  }

  // At most once per screen refresh, however many wheel and pointer events come in between.
  #placeAndDraw() {
    if (this.#due) return;
    this.#due = true;
    requestAnimationFrame(() => {
      this.#due = false;
      if (this.#look.masks && this.#paths.size === 0) this.#retrace();
      this.#draw();
    });
  }

  #draw() {
    const { dots, width, height } = this.#lens.screen;
    if (this.#overlay.width !== width) this.#overlay.width = width;
    if (this.#overlay.height !== height) this.#overlay.height = height;
    const pen = this.#pen;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, width, height);
    if (!this.#result) return;
    const { left, top, scale } = this.#lens.place(this.#picture);
    const { header } = this.#result;
    const dotsPerPixel = scale * this.#picture.width / header.width;
    showScaleBar(this.#look.scaleBar ? header.um_per_px * dots / dotsPerPixel : null);
    if (this.#look.masks) this.#drawMasks(left, top, scale * this.#picture.width / header.mask_width, dots);
    pen.setTransform(1, 0, 0, 1, 0, 0);
    if (this.#look.centres || this.#marked) this.#drawMarks(left, top, dotsPerPixel, dots);
  }

  #drawMasks(left, top, scale, dots) {
    const pen = this.#pen;
    pen.setTransform(scale, 0, 0, scale, left, top);
    pen.lineWidth = OUTLINE_PX * dots / scale;
    pen.lineJoin = "bevel";
    for (const [id, path] of this.#paths) {
      pen.fillStyle = pen.strokeStyle = this.#colours.get(id);
      if (!this.#look.outlinesOnly && this.#look.opacity > 0) {
        pen.globalAlpha = this.#look.opacity;
        pen.fill(path, "evenodd");
      }
      pen.globalAlpha = 1;
      pen.stroke(path);
    }
  }

  #drawMarks(left, top, scale, dots) {
    const { width, height, cells } = this.#result.header;
    drawCountingFrame(this.#pen, left, top, width * scale, height * scale, dots);
    for (const [id, x, y, inFrame] of cells) {
      if (!this.#colours.has(id) || this.#hidden.has(id)) continue;
      drawMark(this.#pen, left + x * scale, top + y * scale, 5 * dots, this.#colours.get(id), inFrame, dots);
    }
  }
}

// Solid where cells that touch are counted (left, top), dashed where they are not (right, bottom).
function drawCountingFrame(pen, x, y, width, height, dots) {
  const half = 1.5 * dots;
  const [left, top, right, bottom] = [x + half, y + half, x + width - half, y + height - half];
  pen.lineWidth = 3 * dots;
  pen.strokeStyle = FRAME_COLOUR;
  line(pen, [], [[left, bottom], [left, top], [right, top]]);
  line(pen, [9 * dots, 7 * dots], [[right, top], [right, bottom], [left, bottom]]);
  pen.setLineDash([]);
}

function line(pen, dash, points) {
  pen.setLineDash(dash);
  pen.beginPath();
  for (const [x, y] of points) pen.lineTo(x, y);
  pen.stroke();
}

// Filled: inside the counting frame. Hollow: seen, but not counted in it.
function drawMark(pen, x, y, radius, colour, inFrame, dots) {
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  pen.fillStyle = inFrame ? colour : "rgb(255 255 255 / 0.55)";
  pen.fill();
  pen.lineWidth = 2 * dots;
  pen.strokeStyle = inFrame ? "#ffffff" : colour;
  pen.stroke();
}
