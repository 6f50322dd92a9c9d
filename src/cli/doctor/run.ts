import { resolve, join } from "node:path";
import { messageOf } from "@alignscope/base/errors";
import { cacheFolder, mirrorFolder } from "@alignscope/base/paths";
import type { Forecast } from "../../pipeline/index.js";
import type { Check, Context } from "./check.js";
import { CHECKS } from "./checks.js";
import { profileForecast } from "./forecast.js";
import { type Host, thisHost } from "./host.js";
import { type CheckedLines, note, problem, type Report } from "./report.js";

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
