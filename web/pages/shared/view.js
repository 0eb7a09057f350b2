// What part of the city is seen: drag, wheel, pinch, double click, keys and buttons.

import { Viewport } from "./projection.js";

const CLICK_WITHIN_PX = 5;
const PAN_STEP_PX = 80;
const GLIDE_MS = 220;
const SCALE_MAX = 3;

export class View {
  // `changed` is told after every change, `clicked` the place of a click or tap on the screen.
  constructor(element, { changed, clicked }) {
    this.element = element;
    this.changed = changed;
    this.clicked = clicked;
    this.viewport = new Viewport(element.clientWidth, element.clientHeight);
    this.box = null;
    this.touched = false;
    this.pointers = new Map();
    this.travelled = 0;
    this.gliding = 0;
    this.still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.listen();
  }

  listen() {
    const { element } = this;
    new ResizeObserver(() => this.resize()).observe(element);
    element.addEventListener("pointerdown", (event) => this.pointerDown(event));
    element.addEventListener("pointermove", (event) => this.pointerMove(event));
    element.addEventListener("pointerup", (event) => this.pointerUp(event));
    element.addEventListener("pointercancel", (event) => this.pointers.delete(event.pointerId));
    element.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    element.addEventListener("dblclick", (event) => {
      const { x, y } = this.place(event);
      this.zoom(event.shiftKey ? 0.5 : 2, x, y);
    });
    element.addEventListener("keydown", (event) => this.key(event));
  }

  // The box of the whole city, shown at once and until the user moves the map: a click meets the place that is seen.
  setBox(box) {
    cancelAnimationFrame(this.gliding);
    this.box = box;
    this.touched = false;
    this.viewport.fit(box, 24);
    this.changed();
  }

  wholeCity() {
    if (!this.box) return;
    const target = this.viewport.copy();
    target.fit(this.box, 24);
    this.touched = false;
    this.glide(target);
  }

  // Brings a box into sight with a margin in pixels, beside what covers the map at its left and bottom.
  show(box, margin, covered = { left: 0, bottom: 0 }) {
    const target = this.viewport.copy();
    target.width -= covered.left;
    target.height -= covered.bottom;
    target.fit(box, margin);
    target.scale = Math.min(0.35, target.scale);
    target.pan(covered.left / 2, -covered.bottom / 2);
    this.touched = true;
    this.glide(target);
  }

  resize() {
    this.viewport.width = this.element.clientWidth;
    this.viewport.height = this.element.clientHeight;
    if (this.box && !this.touched) this.viewport.fit(this.box, 24);
    this.changed();
  }

  limits() {
    const whole = this.viewport.copy();
    if (this.box) whole.fit(this.box, 0);
    return { min: whole.scale / 3, max: SCALE_MAX };
  }

  zoom(factor, x = this.viewport.width / 2, y = this.viewport.height / 2) {
    const target = this.viewport.copy();
    target.zoomAt(x, y, factor, this.limits());
    this.touched = true;
    this.glide(target);
  }

  // Moves to `target` in a short while, at once where motion is unwanted.
  glide(target) {
    cancelAnimationFrame(this.gliding);
    if (this.still) {
      Object.assign(this.viewport, { x: target.x, y: target.y, scale: target.scale });
      this.changed();
      return;
    }
    const { x, y, scale } = this.viewport;
    const begin = performance.now();
    const step = (now) => {
      const part = Math.min(1, (now - begin) / GLIDE_MS);
      const eased = 1 - (1 - part) ** 3;
      this.viewport.x = x + (target.x - x) * eased;
      this.viewport.y = y + (target.y - y) * eased;
      this.viewport.scale = scale * (target.scale / scale) ** eased;
      this.changed();
      if (part < 1) this.gliding = requestAnimationFrame(step);
    };
    this.gliding = requestAnimationFrame(step);
  }

  place(event) {
    const frame = this.element.getBoundingClientRect();
    return { x: event.clientX - frame.left, y: event.clientY - frame.top };
  }

  pointerDown(event) {
    if (event.button > 0) return;
    cancelAnimationFrame(this.gliding);
    this.element.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, this.place(event));
    if (this.pointers.size === 1) this.travelled = 0;
  }

  pointerMove(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const after = this.place(event);
    this.travelled += Math.hypot(after.x - before.x, after.y - before.y);
    if (this.pointers.size === 1) {
      this.viewport.pan(after.x - before.x, after.y - before.y);
    } else {
      this.pinch(event.pointerId, before, after);
    }
    this.pointers.set(event.pointerId, after);
    this.touched = true;
    this.changed();
  }

  pinch(moved, before, after) {
    const [other] = [...this.pointers].filter(([id]) => id !== moved).map(([, point]) => point);
    const apart = Math.max(1, Math.hypot(before.x - other.x, before.y - other.y));
    const factor = Math.hypot(after.x - other.x, after.y - other.y) / apart;
    this.viewport.pan((after.x - before.x) / 2, (after.y - before.y) / 2);
    this.viewport.zoomAt((after.x + other.x) / 2, (after.y + other.y) / 2, factor, this.limits());
  }

  pointerUp(event) {
    const only = this.pointers.size === 1;
    if (!this.pointers.delete(event.pointerId)) return;
    if (only && this.travelled < CLICK_WITHIN_PX) {
      const { x, y } = this.place(event);
      this.clicked(x, y);
    }
  }

  wheel(event) {
    event.preventDefault();
    cancelAnimationFrame(this.gliding);
    const { x, y } = this.place(event);
    const pixels = event.deltaMode === 1 ? event.deltaY * 16 : event.deltaY;
    const speed = event.ctrlKey ? 0.01 : 0.0016;
    this.viewport.zoomAt(x, y, Math.exp(-pixels * speed), this.limits());
    this.touched = true;
    this.changed();
  }

  key(event) {
    const pans = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    if (pans[event.key]) {
      const target = this.viewport.copy();
      target.pan(pans[event.key][0] * PAN_STEP_PX, pans[event.key][1] * PAN_STEP_PX);
      this.touched = true;
      this.glide(target);
    } else if (event.key === "+" || event.key === "=") {
      this.zoom(1.6);
    } else if (event.key === "-") {
      this.zoom(1 / 1.6);
    } else if (event.key === "0") {
      this.wholeCity();
    } else {
      return;
    }
    event.preventDefault();
  }
}
