// Builds elements without markup in strings, so that no text can become markup.

const SVG = "http://www.w3.org/2000/svg";

export function element(tag, className = "", text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

// A glyph of the legend by its name; decoration, the words beside it say the same.
export function glyph(name, colour) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", `glyph ${colour}`);
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#glyph-${name}`);
  svg.append(use);
  return svg;
}

export function setGlyph(svg, name, colour) {
  const className = `glyph ${colour}`;
  if (svg.getAttribute("class") !== className) svg.setAttribute("class", className);
  const use = svg.firstChild;
  if (use.getAttribute("href") !== `#glyph-${name}`) use.setAttribute("href", `#glyph-${name}`);
}

export function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}
