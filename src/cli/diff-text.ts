import type { Agreement, RunDifference } from "../pipeline/index.js";

/** Lines of one file before the rest is only counted. */
const SHOWN = 20;

/** How two runs differ, in words: what moved, rows and files that only one has, settings, and a summary. */
export function diffText(difference: RunDifference, { all = false } = {}): string {
  const { a, b, data, onlyA, onlyB, parameters, environment, tolerance, files, values } = difference;
  const lines: string[] = [];
  if (a.profile !== b.profile) {
    lines.push(`different profiles: ${a.profile} (A) and ${b.profile} (B); most values will differ`, "");
  }
  for (const { path, moved, added, missing, addedColumns, missingColumns } of data) {
    const said = [
      ...addedColumns.map((column) => `only in B: column ${column}`),
      ...missingColumns.map((column) => `only in A: column ${column}`),
      ...missing.map((row) => `only in A: row ${row}`),
      ...added.map((row) => `only in B: row ${row}`),
      ...moved.map(({ row, column, a: was, b: is, relative }) => {
        const change = relative === null ? "" : ` (${(100 * relative).toPrecision(3)} %)`;
        return `${row}: ${column}: ${was || "nothing"} -> ${is || "nothing"}${change}`;
      }),
    ];
    const shown = all ? said : said.slice(0, SHOWN);
    lines.push(path, ...shown.map((line) => `  ${line}`));
    if (said.length > shown.length) lines.push(`  and ${said.length - shown.length} more (--all)`);
  }
  lines.push(...onlyA.map((path) => `only in A: ${path}`), ...onlyB.map((path) => `only in B: ${path}`));
  for (const [title, list] of [
    ["parameters", parameters],
    ["environments", environment],
  ] as const) {
    if (list.length === 0) continue;
    if (lines.length > 0) lines.push("");
    lines.push(`different ${title}`);
    for (const { name, a: was, b: is, notebooks } of list) {
      const where = notebooks.length === 0 ? "" : `  (${notebooks.join(", ")})`;
      lines.push(`  ${name}: ${was} -> ${is}${where}`);
    }
  }
  if (lines.length > 0) lines.push("");
  const moved = data.reduce((sum, one) => sum + one.moved.length, 0);
  const within = `rtol ${tolerance.rtol}, atol ${tolerance.atol}`;
  lines.push(
    difference.equal
      ? `equal: ${values} values in ${files} tables and figures, within ${within}`
      : `different: ${moved} of ${values} values moved beyond ${within}, in ${data.length} of ${files} tables and figures` +
          (onlyA.length + onlyB.length > 0 ? `; ${onlyA.length} only in A, ${onlyB.length} only in B` : ""),
  );
  return lines.join("\n");
}

/** Tables and figures that are named before the rest is only counted. */
const NAMED = 3;

/** How far a run agrees with the committed one, in one line. @param place a folder as it is to be called */
export function agreementText(
  { difference, judged, verdicts }: Agreement,
  place: (folder: string) => string,
): string {
  const { a, b, data, onlyA, onlyB, files, values, tolerance, parameters, environment } = difference;
  const [committed, own] = [place(a.outputs), place(b.outputs)];
  const moved = data.reduce((sum, one) => sum + one.moved.length, 0);
  const said = [
    `${values - moved} of ${values} values within ${100 * tolerance.rtol} % in ${files} tables and figures`,
    ...(onlyA.length > 0 ? [`${onlyA.length} more are only there`] : []),
    ...(onlyB.length > 0 ? [`${onlyB.length} more are only here`] : []),
  ];
  if (judged > 0) {
    const others = verdicts.map(({ id, committed: was, here: is }) => `${id} ${was} there, ${is} here`);
    const same = others.length === 0 ? `all ${judged}` : `${judged - others.length} of ${judged}`;
    said.push(`${same} verdicts the same${others.map((other) => `, ${other}`).join("")}`);
  }
  if (data.length > 0) {
    const names = data.slice(0, NAMED).map(({ path }) => path.replace(/^\w+\/|\.csv$/g, ""));
    if (data.length > NAMED) names.push(`${data.length - NAMED} more`);
    said.push(`what differs is in ${names.join(", ")}`);
  }
  const settings = [...parameters, ...environment.filter(({ name }) => MACHINE.includes(name))];
  if (data.length > 0 && settings.length > 0) {
    said.push(`other settings: ${[...new Set(settings.map(({ name }) => name))].join(", ")}`);
  }
  if (data.length > 0)
    said.push(`\`npx alignscope diff ${committed} ${own} --rtol ${tolerance.rtol}\` shows it`);
  return `Beside the committed run, ${committed}: ${said.join("; ")}.`;
}

/** Of the environment, what decides how the last digits are rounded. */
const MACHINE = ["platform", "backend", "device", "driver", "blas", "threads"];
