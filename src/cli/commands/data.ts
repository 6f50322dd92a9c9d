import { SingleBar } from "cli-progress";
import type { Command } from "commander";
import { messageOf, UserError } from "@alignscope/base/errors";
import { locateEntry, whereabouts, type Progress } from "../../data/locate.js";
import { registered, registry, type Registered } from "../../data/registry.js";
import { freezeLab } from "../../lab/freeze.js";
import { size } from "@alignscope/base/size";

/** Lines with their cells padded to columns; the second and third, numbers, to the right. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const right = new Set([2, 3]);
  return rows
    .map((row) =>
      row
        .map((cell, i) => (right.has(i) ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function list(options: { json?: boolean }): void {
  const entries = registry().map((entry) => ({ ...entry, where: whereabouts(entry) }));
  if (options.json) {
    console.log(JSON.stringify(entries, null, 2));
    return;
  }
  const rows = entries.map(({ name, kind, bytes, rows: count, where, licence }) => [
    name,
    kind,
    bytes === 0 ? "" : size(bytes),
    count === undefined ? "" : String(count),
    where,
    licence,
  ]);
  console.log(table([["name", "kind", "size", "rows", "where", "licence"], ...rows]));
}

/** A progress bar per file on standard error, where it is a terminal. */
function progressBars(): { onProgress: (progress: Progress) => void; stop: () => void } {
  let bar: SingleBar | undefined;
  let current = "";
  const stop = () => {
    bar?.stop();
    bar = undefined;
  };
  return {
    stop,
    onProgress({ name, file, receivedBytes, totalBytes }) {
      if (current !== `${name}/${file}`) {
        stop();
        current = `${name}/${file}`;
        bar = new SingleBar({
          format: `${current} {bar} {percentage}% of ${size(totalBytes)}, {eta_formatted} left`,
          stream: process.stderr,
          hideCursor: true,
        });
        bar.start(totalBytes, receivedBytes);
      }
      bar?.update(receivedBytes);
    },
  };
}

async function fetchNamed(names: readonly string[], options: { json?: boolean }): Promise<void> {
  const entries = names.map((name) => registered(name)); // an unknown name is said before anything is fetched
  const found: { name: string; where: string; path: string }[] = [];
  for (const entry of entries) {
    const bars = progressBars();
    try {
      const { where, path } = await locateEntry(entry, { onProgress: bars.onProgress });
      bars.stop();
      found.push({ name: entry.name, where, path });
      if (!options.json)
        console.log(`${entry.name}: ${where === "download" ? "downloaded" : `in the ${where}`}, ${path}`);
    } finally {
      bars.stop();
    }
  }
  if (options.json) console.log(JSON.stringify(found, null, 2));
}

type Verdict = "ok" | "absent" | "wrong";

async function verifyEntry(entry: Registered): Promise<{ name: string; verdict: Verdict; detail: string }> {
  const where = whereabouts(entry);
  if (entry.sources.embedded === undefined && (where === "nowhere" || where === "download")) {
    return { name: entry.name, verdict: "absent", detail: "not on this machine" };
  }
  try {
    const place = await locateEntry(entry, { download: false, fresh: true });
    return { name: entry.name, verdict: "ok", detail: `${place.where}, ${place.path}` };
  } catch (error) {
    return { name: entry.name, verdict: "wrong", detail: messageOf(error) };
  }
}

async function verify(names: readonly string[], options: { json?: boolean }): Promise<void> {
  const entries = names.length === 0 ? registry() : names.map((name) => registered(name));
  const verdicts: Awaited<ReturnType<typeof verifyEntry>>[] = [];
  for (const entry of entries) verdicts.push(await verifyEntry(entry));
  if (options.json) console.log(JSON.stringify(verdicts, null, 2));
  else
    for (const { name, verdict, detail } of verdicts) console.log(`${verdict.padEnd(6)}  ${name}: ${detail}`);
  const wrong = verdicts.filter(({ verdict }) => verdict === "wrong").map(({ name }) => name);
  if (wrong.length > 0) throw new UserError(`not as registered: ${wrong.join(", ")}`);
}

/** `alignscope data`: what data sets and models there are, where they lie, and whether they are what they should be. */
export function dataCommand(program: Command): void {
  const data = program
    .command("data")
    .description("list, find, download and check the data sets and models known by name");
  data
    .command("list")
    .description("every name with its size, records, licence and where it would come from")
    .option("--json", "print JSON")
    .action(list);
  data
    .command("path <name>")
    .description("print where a data set's file or a model's folder lies; downloads nothing")
    .action(async (name: string) => {
      console.log((await locateEntry(registered(name), { download: false })).path);
    });
  data
    .command("fetch <names...>")
    .description("make sure that the named ones are on this machine, downloading what is not")
    .option("--json", "print JSON")
    .action(fetchNamed);
  data
    .command("verify [names...]")
    .description(
      "read every file that is on this machine and compare it with its sha256; exit code 1 if one differs",
    )
    .option("--json", "print JSON")
    .action(verify);
  data
    .command("freeze-lab")
    .description(
      "write the checksums of the embedded data to data/lab/manifest.json, after changing it on purpose",
    )
    .action(() => {
      const { files } = freezeLab();
      console.log(`data/lab/manifest.json: ${Object.keys(files).length} files`);
    });
}
