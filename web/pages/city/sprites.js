// The shapes of the map: a driver looks like the place it is going to, and colour never stands alone.
//
//   ○ idle   ● to the restaurant   ■ waits at the restaurant   ◆ to the customer
//   order: restaurant ○ ── ◇ customer

export const DRIVER_COLOURS = {
  idle: "idle",
  to_restaurant: "to-restaurant",
  waiting: "waiting",
  to_customer: "to-customer",
  off_duty: "idle",
};

// Traces the outline of a driver in `state` around (x, y).
export function traceDriver(context, state, x, y, radius) {
  context.beginPath();
  if (state === "waiting") {
    const side = radius * 0.9;
    context.rect(x - side, y - side, 2 * side, 2 * side);
  } else if (state === "to_customer") {
    traceDiamond(context, x, y, radius * 1.25);
  } else {
    context.arc(x, y, state === "idle" ? radius * 0.72 : radius, 0, 2 * Math.PI);
  }
}

export function traceDiamond(context, x, y, radius) {
  context.moveTo(x, y - radius);
  context.lineTo(x + radius, y);
  context.lineTo(x, y + radius);
  context.lineTo(x - radius, y);
  context.closePath();
}

// Small pictures of all drivers' states, drawn once and then stamped.
export class DriverSprites {
  constructor(palette, radius, ratio) {
    this.size = Math.ceil(radius * 2 * 1.25 + 6);
    this.stamps = new Map();
    for (const [state, colour] of Object.entries(DRIVER_COLOURS)) {
      const canvas = document.createElement("canvas");
      canvas.width = canvas.height = Math.ceil(this.size * ratio);
      const context = canvas.getContext("2d");
      context.scale(ratio, ratio);
      const middle = this.size / 2;
      traceDriver(context, state, middle, middle, radius);
      context.lineWidth = 3;
      context.strokeStyle = palette.halo;
      context.stroke();
      if (state === "idle") {
        context.fillStyle = palette.halo;
        context.fill();
        context.lineWidth = 1.7;
        context.strokeStyle = palette[colour];
        context.stroke();
      } else {
        context.fillStyle = palette[colour];
        context.fill();
      }
      this.stamps.set(state, canvas);
    }
  }

  stamp(context, state, x, y) {
    const half = this.size / 2;
    context.drawImage(this.stamps.get(state), x - half, y - half, this.size, this.size);
  }
}
