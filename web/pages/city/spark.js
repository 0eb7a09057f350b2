// A small line of the last half hour, from zero up.

// SVG path data for `values` (null = nothing known) in a box of width × height; the scale starts at zero.
export function sparkPath(values, width, height) {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return { line: "", last: null };
  const top = Math.max(...known, 1e-9);
  const step = values.length > 1 ? width / (values.length - 1) : 0;
  let line = "";
  let pen = "M";
  let last = null;
  values.forEach((value, index) => {
    if (value === null) {
      pen = "M";
      return;
    }
    const x = round(values.length > 1 ? index * step : width);
    const y = round(height - (value / top) * height);
    line += `${pen}${x} ${y}`;
    pen = "L";
    last = { x, y };
  });
  return { line, last };
}

function round(value) {
  return Math.round(value * 10) / 10;
}
