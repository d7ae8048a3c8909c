// Draws the latest picture, the tint and outline of its masks, and marks on its cells.

const TINT = 0.26;
const OUTLINE = 0.95;

export class Painter {
  #canvases = Object.fromEntries(["picture", "mask", "marks"].map((id) => [id, document.getElementById(id)]));
  #result = null;
  #classes = new Map();
  #hidden = new Set();
  #masks = true;
  #centres = false;

  constructor() {
    new ResizeObserver(() => this.#drawMarks()).observe(document.getElementById("view"));
  }

  setClasses(classes) {
    if (this.#classes.size > 0) return;
    for (const { id, colour } of classes) this.#classes.set(id, parseColour(colour));
    this.#redraw();
  }

  showClass(classId, shown) {
    if (shown) this.#hidden.delete(classId);
    else this.#hidden.add(classId);
    this.#redraw();
  }

  showMasks(shown) { this.#masks = shown; this.#redraw(); }
  showCentres(shown) { this.#centres = shown; this.#redraw(); }

  async show(result) {
    // One drawing per screen refresh is all that can be seen.
    await new Promise(requestAnimationFrame);
    this.#result?.picture.close();
    this.#result = result;
    const { picture } = this.#canvases;
    resize(picture, result.picture.width, result.picture.height);
    picture.getContext("2d").drawImage(result.picture, 0, 0);
    document.getElementById("placeholder").hidden = true;
    this.#redraw();
  }

  #redraw() {
    if (!this.#result) return;
    this.#drawMask();
    this.#drawMarks();
  }

  #drawMask() {
    const { mask_width: width, mask_height: height } = this.#result.header;
    const canvas = this.#canvases.mask;
    resize(canvas, width, height);
    const context = canvas.getContext("2d");
    if (!this.#masks) { context.clearRect(0, 0, width, height); return; }
    const image = context.createImageData(width, height);
    paintMask(this.#result.classIds, width, height, this.#shades(), new Uint32Array(image.data.buffer));
    context.putImageData(image, 0, 0);
  }

  // Per class id: packed RGBA of its tint and of its outline; 0 is transparent.
  #shades() {
    const tint = new Uint32Array(256);
    const outline = new Uint32Array(256);
    for (const [id, colour] of this.#classes) {
      if (this.#hidden.has(id)) continue;
      tint[id] = pack(colour, TINT);
      outline[id] = pack(colour, OUTLINE);
    }
    return { tint, outline };
  }

  // Marks are drawn in screen pixels, so that they stay crisp at any size of the window.
  #drawMarks() {
    const canvas = this.#canvases.marks;
    const dots = window.devicePixelRatio;
    resize(canvas, Math.round(canvas.clientWidth * dots), Math.round(canvas.clientHeight * dots));
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, canvas.width, canvas.height);
    if (!this.#centres || !this.#result) return;
    const { width, height, cells } = this.#result.header;
    const scale = Math.min(canvas.width / width, canvas.height / height);
    const left = (canvas.width - width * scale) / 2;
    const top = (canvas.height - height * scale) / 2;
    drawCountingFrame(context, left, top, width * scale, height * scale, dots);
    for (const [classId, x, y, inFrame] of cells) {
      if (!this.#classes.has(classId) || this.#hidden.has(classId)) continue;
      drawMark(context, left + x * scale, top + y * scale, 5 * dots, this.#classes.get(classId), inFrame, dots);
    }
  }
}

function paintMask(ids, width, height, { tint, outline }, pixels) {
  for (let y = 0, at = 0; y < height; y += 1) {
    const below = y + 1 < height ? width : 0;
    const above = y > 0 ? -width : 0;
    for (let x = 0; x < width; x += 1, at += 1) {
      const id = ids[at];
      if (id === 0) continue;
      const right = x + 1 < width ? 1 : 0;
      const left = x > 0 ? -1 : 0;
      const edge = ids[at + right] !== id || ids[at + left] !== id || ids[at + below] !== id || ids[at + above] !== id;
      pixels[at] = edge ? outline[id] : tint[id];
    }
  }
}

// Solid where cells that touch are counted (left, top), dashed where they are not (right, bottom).
function drawCountingFrame(context, x, y, width, height, dots) {
  context.lineWidth = 3 * dots;
  context.strokeStyle = "#f0e442";
  const line = (dash, points) => {
    context.setLineDash(dash);
    context.beginPath();
    for (const [px, py] of points) context.lineTo(px, py);
    context.stroke();
  };
  line([], [[x, y + height], [x, y], [x + width, y]]);
  line([9 * dots, 7 * dots], [[x + width, y], [x + width, y + height], [x, y + height]]);
  context.setLineDash([]);
}

// Filled: inside the counting frame. Hollow: seen, but not counted in it.
function drawMark(context, x, y, radius, [red, green, blue], inFrame, dots) {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fillStyle = inFrame ? `rgb(${red} ${green} ${blue})` : "rgb(255 255 255 / 0.55)";
  context.fill();
  context.lineWidth = 2 * dots;
  context.strokeStyle = inFrame ? "#ffffff" : `rgb(${red} ${green} ${blue})`;
  context.stroke();
}

function resize(canvas, width, height) {
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
}

function parseColour(hex) {
  return [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
}

// ImageData is RGBA in memory; every platform that runs a browser is little-endian.
function pack([red, green, blue], alpha) {
  return ((Math.round(255 * alpha) << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}
