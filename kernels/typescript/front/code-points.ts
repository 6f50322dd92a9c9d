/*
 * The protocol counts positions in code in Unicode code points since 5.2, JavaScript in UTF-16 units: 😀 is one of the
 * former and two of the latter.
 */

/** The position in UTF-16 units of a position in code points; what lies outside the code is taken to its nearer end. */
export function toUnits(code: string, points: number): number {
  let units = 0;
  for (let left = points; left > 0 && units < code.length; left--) units += unitsAt(code, units);
  return units;
}

/** The position in code points of a position in UTF-16 units; the middle of a character counts as its end. */
export function toPoints(code: string, units: number): number {
  const end = Math.min(units, code.length);
  let points = 0;
  for (let at = 0; at < end; at += unitsAt(code, at)) points++;
  return points;
}

function unitsAt(code: string, at: number): 1 | 2 {
  return (code.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
}
