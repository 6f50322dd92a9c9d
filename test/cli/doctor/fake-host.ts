import type { Context } from "../../../src/cli/doctor/check.js";
import type { Host, Ran } from "../../../src/cli/doctor/host.js";
import type { Forecast } from "../../../src/pipeline/index.js";

const GIB = 2 ** 30;

/** How a program that prints this and ends well looks. */
export function printed(stdout: string): Ran {
  return { code: 0, signal: null, stdout, stderr: "", failure: null };
}

const MISSING: Ran = { code: null, signal: null, stdout: "", stderr: "", failure: "missing" };

/** A machine in order, but for what is said otherwise; programs answer by name, and are missing if unnamed. */
export function fakeHost(
  given: Partial<Host> = {},
  programs: Readonly<Record<string, (args: readonly string[]) => Ran>> = {},
): Host {
  return {
    root: "/project",
    env: {},
    platform: "linux",
    nodeVersion: "20.20.0",
    home: "/home/me",
    tmp: "/tmp",
    run: (command, args) => {
      const key = command === process.execPath ? "node" : command;
      return Promise.resolve(programs[key]?.(args) ?? MISSING);
    },
    findProgram: (name) => (name in programs ? `/usr/bin/${name}` : undefined),
    read: (path) => (path.endsWith("package.json") ? '{"engines":{"node":">=20.19"}}' : undefined),
    exists: () => true,
    writable: () => true,
    freeBytes: () => Promise.resolve(100 * GIB),
    memory: () => ({ total: 32 * GIB, free: 30 * GIB, limit: null }),
    reach: () => Promise.resolve({ reached: true, answer: "HTTP 200", milliseconds: 5 }),
    ...given,
  };
}

/** What a profile needs, in so far as the checks read it. */
export function fakeForecast(bytes: number, data: Partial<Forecast["data"][number]>[] = []): Forecast {
  return {
    profile: { name: "test", description: "", machine: "" },
    notebooks: [],
    parameters: [],
    data: [{ parameters: ["model"], bytes: bytes / 10 }, ...data].map((one) => ({
      ...{ parameters: ["prompts"], here: true, where: "embedded" },
      ...one,
    })),
    missing: { bytes: 0, unknown: [] },
    estimate: { memory: { bytes, source: "" } },
  } as unknown as Forecast;
}

export function fakeContext(host: Host, forecast?: Forecast): Context {
  return {
    host,
    profile: "test",
    forecast: () => Promise.resolve(forecast),
    outputs: "/project/outputs/test",
    cache: "/home/me/.cache/alignscope",
    mirror: undefined,
    offline: false,
  };
}
