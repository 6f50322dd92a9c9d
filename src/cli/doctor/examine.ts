import { join, resolve } from "node:path";
import { messageOf } from "@alignscope/base/errors";
import { cacheFolder, mirrorFolder } from "@alignscope/base/paths";
import type { Forecast } from "../../pipeline/index.js";
import { type Check, type Context, type Line, note, problem } from "./check.js";
import { backendsCheck, blasCheck, gpuCheck } from "./checks/backends.js";
import { dataCheck } from "./checks/data.js";
import { buildCheck, nodeCheck, toolsCheck } from "./checks/installation.js";
import { jupyterCheck, kernelCheck } from "./checks/jupyter.js";
import { networkCheck } from "./checks/network.js";
import { diskCheck, memoryCheck } from "./checks/resources.js";
import { type Host, thisHost } from "./host.js";

/** What `alignscope doctor --json` prints. Fields are added, never renamed; `format` counts up when one goes. */
export interface Report {
  format: 1;
  /** The profile whose needs were looked at. */
  profile: string;
  /** Whether that profile can run: no line stops it. The exit code is 0 then, else 1. */
  runs: boolean;
  /** Milliseconds from begin to end. */
  milliseconds: number;
  checks: CheckedLines[];
}

/** The lines of one check, in the order of the list of checks. */
export interface CheckedLines {
  /** The check: `node`, `build`, `kernel`, `backends`, `blas`, `gpu`, `memory`, `disk`, `tools`, `network`, `data`, `jupyter`. */
  check: string;
  milliseconds: number;
  lines: Line[];
}

/** Every check, in the order in which it is shown. */
const CHECKS: readonly Check[] = [
  nodeCheck,
  buildCheck,
  kernelCheck,
  backendsCheck,
  blasCheck,
  gpuCheck,
  memoryCheck,
  diskCheck,
  toolsCheck,
  networkCheck,
  dataCheck,
  jupyterCheck,
];

export interface DoctorOptions {
  /** Default: lab. */
  profile?: string;
  /** Default: outputs/PROFILE. */
  outputs?: string;
  /** Ask nobody over the network. */
  offline?: boolean;
  host?: Host;
  checks?: readonly Check[];
  /** What the profile needs. */
  forecast?: () => Promise<Forecast>;
  /** Called when a check begins and when it ends, with what goes on then. */
  onProgress?: (done: number, all: number, going: readonly string[]) => void;
}

/**
 * Looks at everything, at the same time; throws nothing and waits for nobody longer than the checks' own limits.
 *
 * @example const { runs, checks } = await examine({ profile: "paper" });
 */
export async function examine(options: DoctorOptions = {}): Promise<Report> {
  const { host = thisHost(), profile = "lab", checks = CHECKS } = options;
  const start = Date.now();
  let forecast: Promise<Forecast | undefined> | undefined;
  let unknown: unknown;
  const context: Context = {
    host,
    profile,
    // Asked for by several checks, worked out once.
    forecast: () =>
      (forecast ??= (options.forecast ?? (() => profileForecast(profile)))().catch((error: unknown) => {
        unknown = error;
        return undefined;
      })),
    outputs: resolve(options.outputs ?? join(host.root, "outputs", profile)),
    cache: cacheFolder(),
    mirror: mirrorFolder(),
    offline: options.offline ?? false,
  };
  const going = new Set(checks.map(({ doing }) => doing));
  const tell = (): void => options.onProgress?.(checks.length - going.size, checks.length, [...going]);
  tell();
  const done = await Promise.all(
    checks.map(async (check): Promise<CheckedLines> => {
      const result = await guarded(check, context);
      going.delete(check.doing);
      tell();
      return result;
    }),
  );
  if (unknown !== undefined) {
    const remedy = "name another with --profile, or mend notebooks/profiles and notebooks/pipeline.yaml";
    done.unshift({
      check: "profile",
      milliseconds: 0,
      lines: [problem("profile", oneLine(messageOf(unknown)), remedy)],
    });
  }
  const runs = !done.some(({ lines }) => lines.some(({ stops }) => stops));
  return { format: 1, profile, runs, milliseconds: Date.now() - start, checks: done };
}

async function guarded(check: Check, context: Context): Promise<CheckedLines> {
  const start = Date.now();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no result after ${check.timeout / 1000} s`)), check.timeout);
  });
  const end = (lines: CheckedLines["lines"]): CheckedLines => ({
    check: check.name,
    milliseconds: Date.now() - start,
    lines,
  });
  try {
    return end(await Promise.race([check.run(context), late]));
  } catch (error) {
    const found = `could not be looked at: ${oneLine(messageOf(error))}`;
    const remedy = "run `npx alignscope doctor` again on an idle machine; if it says so again, report it";
    return end([check.vital ? problem(check.name, found, remedy) : note(check.name, found, remedy)]);
  } finally {
    clearTimeout(timer);
  }
}

/** The first line of what may be many. */
function oneLine(text: string): string {
  return text.trim().split("\n")[0] ?? "";
}

/** What a whole run of a profile needs, as `alignscope plan --force` has it. */
async function profileForecast(profile: string): Promise<Forecast> {
  const { forecast, openProject, plan } = await import("../../pipeline/index.js");
  const { scorers } = await import("../../scorers/index.js");
  const project = await openProject({ profile });
  const files = new Map(scorers.map(({ name, files }) => [name, files]));
  return forecast(project, await plan(project, { force: true }), { scorers: files });
}

const SIGNS = { ok: "ok     ", note: "note   ", problem: "PROBLEM" } as const;

/** A report for people: a line for each thing, below it what to do, and at the end whether the profile can run. */
export function reportText({ checks, profile, runs, milliseconds }: Report): string {
  const lines = checks.flatMap((check) => check.lines);
  const width = Math.max(...lines.map(({ what }) => what.length), 0);
  const indent = " ".repeat(SIGNS.ok.length + width + 4);
  const all = lines.map(({ sign, what, found, remedy }) => {
    const said = `${SIGNS[sign]}  ${what.padEnd(width)}  ${found}`;
    return remedy === null ? said : `${said}\n${indent}-> ${remedy}`;
  });
  const stopping = lines.filter(({ stops }) => stops).map(({ what }) => what);
  const verdict = runs
    ? `The profile ${profile} can run.`
    : `The profile ${profile} cannot run: mend ${stopping.join(", ")}.`;
  return `${all.join("\n")}\n\n${verdict} (looked at in ${(milliseconds / 1000).toFixed(1)} s)`;
}
