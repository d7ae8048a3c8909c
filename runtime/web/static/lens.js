// Where the picture lies on the screen: zoom and pan by wheel, pinch, drag, keys and buttons.

const MOST = 16;
const STEP = 1.35;
const DOUBLE_CLICK = 3;
const PAN_SHARE = 0.12;
const PIXELS_SHOW_FROM = 5;

export class Lens {
  onchange = () => {};
  #view;
  #factor = 1;
  // The picture's point in the middle of the view, as shares of its width and height.
  #centre = { x: 0.5, y: 0.5 };
  #picture = { width: 4, height: 3 };
  #size = { width: 1, height: 1 };
  #fingers = new Map();
  #pinch = null;

  constructor(view) {
    this.#view = view;
    new ResizeObserver(([{ contentRect }]) => {
      this.#size = { width: contentRect.width, height: contentRect.height };
      this.#changed();
    }).observe(view);
    view.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    view.addEventListener("dblclick", (event) => this.#doubleClick(event));
    view.addEventListener("pointerdown", (event) => this.#down(event));
    view.addEventListener("pointermove", (event) => this.#move(event));
    for (const end of ["pointerup", "pointercancel"]) view.addEventListener(end, (event) => this.#up(event));
  }

  get factor() { return this.#factor; }

  // The view's own pixels.
  get screen() {
    const dots = window.devicePixelRatio;
    return { dots, width: Math.round(this.#size.width * dots), height: Math.round(this.#size.height * dots) };
  }

  setPicture(width, height) {
    if (width === this.#picture.width && height === this.#picture.height) return;
    this.#picture = { width, height };
    this.#clamp();
  }

  // Moves the canvas that holds the picture; gives its corner and scale in the screen's own pixels.
  place(canvas) {
    const scale = this.#fit() * this.#factor;
    const left = this.#size.width / 2 - this.#centre.x * this.#picture.width * scale;
    const top = this.#size.height / 2 - this.#centre.y * this.#picture.height * scale;
    const transform = `translate(${left}px, ${top}px) scale(${scale})`;
    if (canvas.style.transform !== transform) canvas.style.transform = transform;
    canvas.classList.toggle("pixels", scale * window.devicePixelRatio >= PIXELS_SHOW_FROM);
    const dots = window.devicePixelRatio;
    return { left: left * dots, top: top * dots, scale: scale * dots };
  }

  zoomIn() { this.#zoom(this.#factor * STEP, this.#middle()); }
  zoomOut() { this.#zoom(this.#factor / STEP, this.#middle()); }

  fit() {
    this.#factor = 1;
    this.#clamp();
    this.#changed();
  }

  // One step in a direction; false where the whole picture is shown, and there is nowhere to go.
  pan(x, y) {
    if (this.#factor === 1) return false;
    this.#shift(-x * PAN_SHARE * this.#size.width, -y * PAN_SHARE * this.#size.height);
    return true;
  }

  #fit() { return Math.min(this.#size.width / this.#picture.width, this.#size.height / this.#picture.height); }
  #middle() { return { x: this.#size.width / 2, y: this.#size.height / 2 }; }

  // The point under (x, y), in pixels of the view, stays where it is.
  #zoom(factor, { x, y }) {
    const before = this.#fit() * this.#factor;
    this.#factor = Math.min(MOST, Math.max(1, factor));
    if (this.#factor < 1.02) this.#factor = 1;
    const after = this.#fit() * this.#factor;
    const [fromX, fromY] = [x - this.#size.width / 2, y - this.#size.height / 2];
    this.#centre.x += (fromX / before - fromX / after) / this.#picture.width;
    this.#centre.y += (fromY / before - fromY / after) / this.#picture.height;
    this.#clamp();
    this.#changed();
  }

  #shift(x, y) {
    const scale = this.#fit() * this.#factor;
    this.#centre.x -= x / scale / this.#picture.width;
    this.#centre.y -= y / scale / this.#picture.height;
    this.#clamp();
    this.#changed();
  }

  // No border of nothing, as long as the picture is larger than the view.
  #clamp() {
    const scale = this.#fit() * this.#factor;
    for (const [axis, length] of [["x", "width"], ["y", "height"]]) {
      const half = this.#size[length] / 2 / (this.#picture[length] * scale);
      this.#centre[axis] = half >= 0.5 ? 0.5 : Math.min(1 - half, Math.max(half, this.#centre[axis]));
    }
  }

  #changed() {
    this.#view.classList.toggle("zoomed", this.#factor > 1);
    this.onchange();
    this.onzoom?.(this.#factor);
  }

  #point(event) {
    const box = this.#view.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  #wheel(event) {
    event.preventDefault();
    // Lines and pages, too, in pixels; a trackpad's pinch comes as a wheel with Ctrl.
    const pixels = event.deltaY * [1, 16, 400][event.deltaMode];
    this.#zoom(this.#factor * Math.exp(-pixels * (event.ctrlKey ? 0.01 : 0.0015)), this.#point(event));
  }

  #doubleClick(event) {
    this.#zoom(this.#factor > 1 ? 1 : DOUBLE_CLICK, this.#point(event));
  }

  #down(event) {
    this.#view.setPointerCapture(event.pointerId);
    this.#fingers.set(event.pointerId, this.#point(event));
    this.#pinch = this.#spread();
  }

  #move(event) {
    const before = this.#fingers.get(event.pointerId);
    if (!before) return;
    const now = this.#point(event);
    this.#fingers.set(event.pointerId, now);
    if (this.#fingers.size === 1) this.#shift(now.x - before.x, now.y - before.y);
    else if (this.#pinch) {
      const spread = this.#spread();
      this.#shift(spread.x - this.#pinch.x, spread.y - this.#pinch.y);
      this.#zoom(this.#factor * spread.distance / this.#pinch.distance, spread);
      this.#pinch = spread;
    }
  }

  #up(event) {
    this.#fingers.delete(event.pointerId);
    this.#pinch = this.#spread();
  }

  // Middle and distance of two fingers; null without two.
  #spread() {
    if (this.#fingers.size !== 2) return null;
    const [one, other] = this.#fingers.values();
    const distance = Math.max(1, Math.hypot(one.x - other.x, one.y - other.y));
    return { x: (one.x + other.x) / 2, y: (one.y + other.y) / 2, distance };
  }
}
