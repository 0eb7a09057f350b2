// The street layer: ground, roads and names, drawn with room around the view, moved by the compositor, drawn again on zoom.

import { overlaps } from "./drawing.js";
import { labelFont, placeLabels } from "./labels.js";

// The colours that a palette needs for this layer, by their names in the style sheet.
export const STREET_COLOURS = [
  "beyond", "land", "sea", "water", "grass", "wood", "park", "cemetery", "road-far-major", "road-far-minor", "road-major",
  "road-minor", "casing-major", "casing-minor", "label", "label-halo",
];

// From small to big: width in metres, least width in pixels, drawn only closer than `nearer` metres per pixel.
const CLASSES = [
  { name: "service", metres: 4, pixels: 0.5, nearer: 5, major: false },
  { name: "living_street", metres: 6, pixels: 0.6, nearer: 16, major: false },
  { name: "residential", metres: 7, pixels: 0.6, nearer: 28, major: false },
  { name: "road", metres: 6, pixels: 0.6, nearer: 28, major: false },
  { name: "unclassified", metres: 7, pixels: 0.6, nearer: 40, major: false },
  { name: "tertiary", metres: 9, pixels: 0.9, nearer: 120, major: false },
  { name: "secondary", metres: 11, pixels: 1.2, nearer: 400, major: true },
  { name: "primary", metres: 13, pixels: 1.5, nearer: 2000, major: true },
  { name: "trunk", metres: 15, pixels: 1.9, nearer: 5000, major: true },
  { name: "motorway", metres: 18, pixels: 2.1, nearer: 5000, major: true },
];

// Closer than this the streets are white with an edge, farther away they are plain lines.
const CASED_NEARER = 9;

// Farther away than this, in metres per pixel, rivers as lines would be a net over the map.
const WATERWAYS_NEARER = 80;

const MARGIN = 0.3;
const SETTLE_MS = 110;

export class StreetLayer {
  constructor(canvas, palette) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.palette = palette;
    this.drawing = null;
    this.drawn = null;
    this.paths = new WeakMap();
    this.timer = 0;
  }

  setDrawing(drawing) {
    this.drawing = drawing;
    this.drawn = null;
  }

  setPalette(palette) {
    this.palette = palette;
    this.drawn = null;
  }

  // Follows the view: the old picture is moved at once, a sharp one is drawn when the zoom settles.
  follow(viewport) {
    if (!this.drawing) return;
    if (!this.drawn || !this.covers(viewport)) {
      this.draw(viewport);
      return;
    }
    const factor = viewport.scale / this.drawn.scale;
    const left = viewport.toScreenX(this.drawn.toPlaneX(0));
    const top = viewport.toScreenY(this.drawn.toPlaneY(0));
    this.canvas.style.transform = `translate(${left}px, ${top}px) scale(${factor})`;
    clearTimeout(this.timer);
    if (factor !== 1) {
      const settled = viewport.copy();
      this.timer = setTimeout(() => this.draw(settled), SETTLE_MS);
    }
  }

  covers(viewport) {
    const drawn = this.drawn;
    const sameSize = drawn.viewWidth === viewport.width && drawn.viewHeight === viewport.height;
    const factor = viewport.scale / drawn.scale;
    const seen = planeBox(viewport);
    const held = planeBox(drawn);
    const inside =
      seen.minX >= held.minX && seen.maxX <= held.maxX && seen.minY >= held.minY && seen.maxY <= held.maxY;
    return sameSize && factor < 8 && (inside || factor < 1);
  }

  draw(viewport) {
    clearTimeout(this.timer);
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    const drawn = viewport.copy();
    drawn.viewWidth = viewport.width;
    drawn.viewHeight = viewport.height;
    drawn.width = Math.ceil(viewport.width * (1 + 2 * MARGIN));
    drawn.height = Math.ceil(viewport.height * (1 + 2 * MARGIN));
    this.drawn = drawn;
    this.canvas.width = Math.round(drawn.width * ratio);
    this.canvas.height = Math.round(drawn.height * ratio);
    this.canvas.style.width = `${drawn.width}px`;
    this.canvas.style.height = `${drawn.height}px`;
    const left = viewport.toScreenX(drawn.toPlaneX(0));
    const top = viewport.toScreenY(drawn.toPlaneY(0));
    this.canvas.style.transform = `translate(${left}px, ${top}px)`;
    this.paint(drawn, ratio);
  }

  paint(drawn, ratio) {
    const { context, palette, drawing } = this;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = drawing.isGroundKnown ? palette.beyond : palette.land;
    context.fillRect(0, 0, this.canvas.width, this.canvas.height);
    const scale = drawn.scale * ratio;
    context.setTransform(scale, 0, 0, -scale, this.canvas.width / 2 - drawn.x * scale, this.canvas.height / 2 + drawn.y * scale);
    context.lineJoin = "round";
    context.lineCap = "round";
    const seen = planeBox(drawn);
    this.paintGround(seen, 1 / drawn.scale);
    this.paintRoads(seen, 1 / drawn.scale);
    this.paintNames(drawn, ratio);
  }

  // Areas of a kind may overlap, so they are filled by the non-zero rule; areas of sea never do, and a coast that crosses
  // itself must not make land of what it encloses twice.
  paintGround(seen, metresPerPixel) {
    const { context, palette, drawing } = this;
    const { box } = drawing;
    if (drawing.isGroundKnown) {
      context.fillStyle = palette.land;
      context.fillRect(box.minX, box.minY, box.maxX - box.minX, box.maxY - box.minY);
    }
    this.fillTiles(drawing.sea, palette.sea, "evenodd", seen);
    for (const { kind, tiles } of drawing.green) this.fillTiles(tiles, palette[kind], "nonzero", seen);
    this.fillTiles(drawing.water, palette.water, "nonzero", seen);
    context.strokeStyle = palette.water;
    context.lineWidth = Math.max(8, 1.3 * metresPerPixel);
    if (metresPerPixel < WATERWAYS_NEARER) this.strokeTiles(drawing.waterways, seen);
  }

  paintRoads(seen, metresPerPixel) {
    const { palette } = this;
    const shown = CLASSES.filter((style) => metresPerPixel < style.nearer);
    if (metresPerPixel < CASED_NEARER) {
      for (const style of shown) {
        const edge = Math.min(2.4, 0.9 + 0.35 / metresPerPixel);
        this.strokeClass(style, seen, style.major ? palette["casing-major"] : palette["casing-minor"], edge, metresPerPixel);
      }
      for (const style of shown) {
        this.strokeClass(style, seen, style.major ? palette["road-major"] : palette["road-minor"], 0, metresPerPixel);
      }
    } else {
      for (const style of shown) {
        this.strokeClass(style, seen, style.major ? palette["road-far-major"] : palette["road-far-minor"], 0, metresPerPixel);
      }
    }
  }

  strokeClass(style, seen, colour, extraPixels, metresPerPixel) {
    const found = this.drawing.classes.find(({ name }) => name === style.name);
    if (!found) return;
    const { context } = this;
    context.strokeStyle = colour;
    context.lineWidth = Math.max(style.metres, style.pixels * metresPerPixel) + extraPixels * metresPerPixel;
    this.strokeTiles(found.tiles, seen);
  }

  // In pixels and upright, over everything else of this layer.
  paintNames(drawn, ratio) {
    const { context, palette } = this;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.textAlign = "center";
    context.textBaseline = "middle";
    const width = (text, style) => {
      context.font = labelFont(style);
      return context.measureText(text).width;
    };
    context.lineWidth = 3.5;
    context.strokeStyle = palette["label-halo"];
    context.fillStyle = palette.label;
    for (const { text, style, x, y } of placeLabels(this.drawing.names, drawn, width)) {
      context.font = labelFont(style);
      context.strokeText(text, x, y);
      context.fillText(text, x, y);
    }
  }

  fillTiles(tiles, colour, rule, seen) {
    this.context.fillStyle = colour;
    for (const tile of tiles) {
      if (overlaps(tile.box, seen)) this.context.fill(this.path(tile), rule);
    }
  }

  strokeTiles(tiles, seen) {
    for (const tile of tiles) {
      if (overlaps(tile.box, seen)) this.context.stroke(this.path(tile));
    }
  }

  // A tile's lines as one path, built once.
  path(tile) {
    let path = this.paths.get(tile);
    if (!path) {
      path = new Path2D();
      for (const points of tile.lines) {
        path.moveTo(points[0], points[1]);
        for (let at = 2; at < points.length; at += 2) path.lineTo(points[at], points[at + 1]);
      }
      this.paths.set(tile, path);
    }
    return path;
  }
}

function planeBox(viewport) {
  return {
    minX: viewport.toPlaneX(0),
    maxX: viewport.toPlaneX(viewport.width),
    minY: viewport.toPlaneY(viewport.height),
    maxY: viewport.toPlaneY(0),
  };
}
