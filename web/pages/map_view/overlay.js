// The layer above the streets: how far one gets, the ways, the two ends.

export const STROKES = {
  scooter: [],
  car: [13, 5],
  bicycle: [7, 5],
  foot: [1.5, 6],
};

const COLOUR_NAMES = ["land", "halo", "ink", "scooter", "car", "bicycle", "foot"];

function readColours() {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(COLOUR_NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

export class Overlay {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.projection = null;
    this.state = null;
    this.colours = readColours();
  }

  setColours() {
    this.colours = readColours();
  }

  draw(viewport, state) {
    const { canvas, context } = this;
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    const [width, height] = [Math.round(viewport.width * ratio), Math.round(viewport.height * ratio)];
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, viewport.width, viewport.height);
    if (!this.projection) return;
    context.lineJoin = "round";
    context.lineCap = "round";
    this.place = ([lng, lat]) => [
      viewport.toScreenX(this.projection.x(lng)),
      viewport.toScreenY(this.projection.y(lat)),
    ];
    if (state.reach) this.drawReach(state.reach, this.colours[state.profile]);
    for (const [profile, way] of Object.entries(state.ways)) {
      if (way && profile !== state.profile) this.drawWay(way.line, profile, false);
    }
    const chosen = state.ways[state.profile];
    if (chosen) this.drawWay(chosen.line, state.profile, true);
    if (chosen && state.from) this.drawGap(state.from, chosen.line[0]);
    if (chosen && state.to) this.drawGap(state.to, chosen.line.at(-1));
    if (state.from) this.drawStart(state.from);
    if (state.to) this.drawEnd(state.to);
  }

  // The farthest comes first, so that nearer ones lie on top and are darker.
  drawReach(reach, colour) {
    const { context } = this;
    for (const { polygons } of reach) {
      const path = new Path2D();
      for (const ring of polygons.flat()) path.addPath(this.path(ring));
      context.globalAlpha = 0.13;
      context.fillStyle = colour;
      context.fill(path, "evenodd");
      context.globalAlpha = 0.9;
      context.strokeStyle = colour;
      context.lineWidth = 1.4;
      context.stroke(path);
    }
    context.globalAlpha = 1;
    for (const { minutes, polygons } of reach) this.label(`${minutes} min`, polygons[0][0], colour);
  }

  // The words stand at the northern end of a ring.
  label(text, ring, colour) {
    const { context } = this;
    const north = ring.reduce((best, point) => (point[1] > best[1] ? point : best));
    const [x, y] = this.place(north);
    context.font = "600 12px system-ui, sans-serif";
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.lineWidth = 4;
    context.strokeStyle = this.colours.halo;
    context.strokeText(text, x, y);
    context.fillStyle = colour;
    context.fillText(text, x, y);
  }

  drawWay(line, profile, isChosen) {
    const { context, colours } = this;
    const path = this.path(line);
    if (isChosen) {
      context.strokeStyle = colours.halo;
      context.lineWidth = 9;
      context.stroke(path);
    }
    context.setLineDash(STROKES[profile]);
    context.strokeStyle = colours[profile];
    context.globalAlpha = isChosen ? 1 : 0.75;
    context.lineWidth = isChosen ? 5 : 2.5;
    context.stroke(path);
    context.setLineDash([]);
    context.globalAlpha = 1;
  }

  // From the place that was clicked to the road.
  drawGap(at, road) {
    const { context } = this;
    context.setLineDash([2, 4]);
    context.strokeStyle = this.colours.ink;
    context.lineWidth = 1.5;
    context.stroke(this.path([[at.lng, at.lat], road]));
    context.setLineDash([]);
  }

  drawStart({ lat, lng }) {
    const [x, y] = this.place([lng, lat]);
    const circle = new Path2D();
    circle.arc(x, y, 7, 0, 2 * Math.PI);
    this.marker(circle, this.colours.halo);
  }

  drawEnd({ lat, lng }) {
    const [x, y] = this.place([lng, lat]);
    const diamond = new Path2D(`M${x} ${y - 9}l9 9-9 9-9-9z`);
    this.marker(diamond, this.colours.ink);
  }

  marker(path, fill) {
    const { context, colours } = this;
    context.strokeStyle = colours.halo;
    context.lineWidth = 7;
    context.stroke(path);
    context.fillStyle = fill;
    context.fill(path);
    context.strokeStyle = colours.ink;
    context.lineWidth = 3;
    context.stroke(path);
  }

  path(line) {
    const path = new Path2D();
    line.forEach((point, index) => {
      const [x, y] = this.place(point);
      if (index === 0) path.moveTo(x, y);
      else path.lineTo(x, y);
    });
    return path;
  }
}
