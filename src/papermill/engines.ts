import { UserError } from "@alignscope/base/errors";
import type { LanguageInfo } from "jupyter-wire";
import { CellRunner } from "./cell-runner.js";
import type { Engine, EngineRun } from "./engine.js";
import { KernelSession } from "./kernel-session.js";

const DEFAULT_START_TIMEOUT = 60;

/** The usual engine: one kernel, started for the notebook and ended after it, runs its cells in order. */
const kernelEngine: Engine = {
  async execute(run) {
    const begun = Date.now();
    const session = await startKernel(run);
    const { pid = null, implementation } = session;
    const seconds = (Date.now() - begun) / 1000;
    run.tell({ type: "kernel-ready", kernel: run.spec?.name ?? "", seconds, pid, implementation });
    try {
      const cells = new CellRunner(run, session);
      const failure = await cells.runAll();
      const language = session.info["language_info"];
      const known = typeof language === "object" && language !== null && !Array.isArray(language);
      return {
        failure,
        stoppedAt: cells.stoppedAt,
        languageInfo: known ? (language as LanguageInfo) : undefined,
      };
    } finally {
      await session.shutdown(run.options.shutdownTimeout);
    }
  },
};

function startKernel({ spec, cwd, options, deadline, tell }: EngineRun): Promise<KernelSession> {
  if (!spec) throw new Error("the kernel engine needs a kernelspec");
  const startTimeout = options.startTimeout ?? DEFAULT_START_TIMEOUT;
  const left = deadline === undefined ? Infinity : Math.max(0, (deadline - Date.now()) / 1000);
  return KernelSession.start(spec, {
    cwd,
    environment: options.environment ?? {},
    startTimeout: Math.min(startTimeout, left),
    signal: options.signal,
    onWarning: (message) => tell({ type: "warning", message }),
  });
}

/** The engine that is taken unless another is named. */
export const DEFAULT_ENGINE = "papermill-ts";

const engines = new Map<string, Engine>([
  [DEFAULT_ENGINE, kernelEngine],
  // What papermill calls its own: command lines that name it mean the usual way.
  ["nbclient", kernelEngine],
]);

/** Adds an engine, or replaces one. */
export function registerEngine(name: string, engine: Engine): void {
  engines.set(name, engine);
}

/**
 * The engine of that name.
 *
 * @throws UserError that lists those there are
 */
export function findEngine(name: string = DEFAULT_ENGINE): Engine {
  const engine = engines.get(name);
  if (!engine) throw new UserError(`no engine named '${name}' (found ${[...engines.keys()].join(", ")})`);
  return engine;
}
