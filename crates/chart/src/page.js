"use strict";
// Tells the value under the cursor. Rows of `data-values` go down the picture; a value that is not a number is missing.
const told = (value, units) => {
  if (Number.isNaN(value)) return "no value";
  const shown = Number.isSafeInteger(value) ? value : Number(value.toPrecision(7));
  return Number.isFinite(value) ? `${shown}${units}` : `${value < 0 ? "−" : ""}infinite`;
};
for (const output of document.querySelectorAll("output[data-values]")) {
  const image = output.closest("figure").querySelector(".plot image");
  const { columns, rows, x, y, units, values, bytes: size } = output.dataset;
  const bytes = Uint8Array.from(atob(values), (letter) => letter.charCodeAt(0));
  const numbers = new DataView(bytes.buffer);
  const along = (axis, part) => {
    const [name, from, to] = axis.split(" ");
    const value = Number(from) + part * (to - from);
    if (name === "depth") return `depth ${value.toFixed(1)}`;
    if (name === "latitude") return `${Math.abs(value).toFixed(2)}° ${value < 0 ? "S" : "N"}`;
    const turned = ((((value + 180) % 360) + 360) % 360) - 180;
    return `${Math.abs(turned).toFixed(2)}° ${turned < 0 ? "W" : "E"}`;
  };
  image.addEventListener("pointermove", (event) => {
    const box = image.getBoundingClientRect();
    const place = (at, length, count) => Math.min(count - 1, Math.max(0, Math.floor((at / length) * count)));
    const column = place(event.clientX - box.left, box.width, columns);
    const row = place(event.clientY - box.top, box.height, rows);
    const at = size * (row * columns + column);
    const value = size === "8" ? numbers.getFloat64(at, true) : numbers.getFloat32(at, true);
    const where = [along(x, (column + 0.5) / columns), along(y, (row + 0.5) / rows)].join(", ");
    output.textContent = `${where}: ${told(value, units)}`;
  });
  image.addEventListener("pointerleave", () => { output.textContent = ""; });
}
