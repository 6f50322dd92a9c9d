const widest = 110;

/** Numbers for people: four decimals at most and the same for all, powers of ten where these say too little or too much. */
export function numberTexts(numbers: readonly number[]): string[] {
  const sizes = numbers.map(Math.abs).filter((size) => size > 0 && size < Infinity);
  const most = sizes.reduce((a, b) => Math.max(a, b), 0);
  const least = sizes.reduce((a, b) => Math.min(a, b), Infinity);
  if (numbers.every((number) => !Number.isFinite(number) || Number.isInteger(number)) && most < 1e12) {
    return numbers.map(String);
  }
  if (most >= 1e7 || (sizes.length > 0 && least < 1e-4)) {
    return numbers.map((number) => (Number.isFinite(number) ? number.toExponential(3) : String(number)));
  }
  const fixed = numbers.map((number) => (Number.isFinite(number) ? number.toFixed(4) : String(number)));
  const spare = Math.min(...fixed.map((text) => (text.includes(".") ? /0*$/.exec(text)![0].length : 4)));
  return fixed.map((text) =>
    text.includes(".") ? text.slice(0, text.length - spare).replace(/\.$/, "") : text,
  );
}

/**
 * Values in brackets, one level for each axis, aligned, with "…" where an axis goes on.
 *
 * @param values the values of the corner that is shown, row-major
 * @param block the corner's shape
 * @param full the shape of the whole
 */
export function nested(values: readonly string[], block: readonly number[], full: readonly number[]): string {
  if (block.length === 0) return values[0] ?? "";
  const width = values.reduce((most, { length }) => Math.max(most, length), 0);
  const goesOn = (axis: number): boolean => block[axis]! < full[axis]!;
  let next = 0;
  const write = (axis: number): string => {
    const indent = " ".repeat(axis + 1);
    const items: string[] = [];
    const last = axis === block.length - 1;
    for (let index = 0; index < block[axis]!; index += 1) {
      items.push(last ? values[next++]!.padStart(width) : write(axis + 1));
    }
    if (goesOn(axis)) items.push("…");
    if (last) return `[${wrapped(items, indent)}]`;
    // A blank line between matrices, as numpy has it.
    const gap = "\n".repeat(axis < block.length - 2 ? 2 : 1);
    return `[${items.join(`,${gap}${indent}`)}]`;
  };
  return write(0);
}

function wrapped(items: readonly string[], indent: string): string {
  const lines: string[] = [];
  let line = "";
  for (const item of items) {
    const longer = line === "" ? item : `${line}, ${item}`;
    if (line !== "" && indent.length + longer.length > widest) {
      lines.push(`${line},`);
      line = item;
    } else line = longer;
  }
  return [...lines, line].join(`\n${indent}`);
}
