// Degrees to metres on a flat map, and metres to pixels on a screen.

const EARTH_RADIUS_M = 6378137;
const RADIANS = Math.PI / 180;

// A local Mercator projection whose unit is one metre on the ground at the middle of the box.
export class Projection {
  constructor([west, south, east, north]) {
    this.lng0 = (west + east) / 2;
    this.lat0 = (south + north) / 2;
    this.unit = EARTH_RADIUS_M * Math.cos(this.lat0 * RADIANS);
    this.y0 = mercator(this.lat0);
  }

  x(lng) {
    return (lng - this.lng0) * RADIANS * this.unit;
  }

  y(lat) {
    return (mercator(lat) - this.y0) * this.unit;
  }
}

function mercator(lat) {
  return Math.log(Math.tan(Math.PI / 4 + (lat * RADIANS) / 2));
}

// What part of the plane is seen: the middle in metres, pixels per metre, size in pixels.
export class Viewport {
  constructor(width, height) {
    this.x = 0;
    this.y = 0;
    this.scale = 0.05;
    this.width = width;
    this.height = height;
  }

  copy() {
    return Object.assign(new Viewport(this.width, this.height), this);
  }

  toScreenX(x) {
    return (x - this.x) * this.scale + this.width / 2;
  }

  toScreenY(y) {
    return this.height / 2 - (y - this.y) * this.scale;
  }

  toPlaneX(screenX) {
    return (screenX - this.width / 2) / this.scale + this.x;
  }

  toPlaneY(screenY) {
    return this.y - (screenY - this.height / 2) / this.scale;
  }

  pan(dx, dy) {
    this.x -= dx / this.scale;
    this.y += dy / this.scale;
  }

  // Zooms so that the point under (screenX, screenY) stays where it is.
  zoomAt(screenX, screenY, factor, limits) {
    const x = this.toPlaneX(screenX);
    const y = this.toPlaneY(screenY);
    this.scale = Math.min(limits.max, Math.max(limits.min, this.scale * factor));
    this.x = x - (screenX - this.width / 2) / this.scale;
    this.y = y + (screenY - this.height / 2) / this.scale;
  }

  // Shows the whole box with a margin in pixels.
  fit(box, margin) {
    const across = Math.max(1, box.maxX - box.minX);
    const up = Math.max(1, box.maxY - box.minY);
    this.x = (box.minX + box.maxX) / 2;
    this.y = (box.minY + box.maxY) / 2;
    this.scale = Math.min(
      Math.max(1, this.width - 2 * margin) / across,
      Math.max(1, this.height - 2 * margin) / up,
    );
  }
}

// The longest round distance (1, 2 or 5 times a power of ten, in metres) whose bar is at most `pixels` wide.
export function scaleBar(pixelsPerMetre, pixels) {
  const longest = pixels / pixelsPerMetre;
  const power = 10 ** Math.floor(Math.log10(longest));
  const metres = [5, 2, 1].map((step) => step * power).find((length) => length <= longest) ?? power;
  const text = metres >= 1000 ? `${metres / 1000} km` : `${metres} m`;
  return { metres, text, width: metres * pixelsPerMetre };
}
