import { join } from "node:path";
import { describeKernelspecs, type ListedKernelspec } from "ts-jupyter-kernel/install";
import { attempt, type Check, type Line, note, ok, problem, type Trial } from "../check.js";
import type { Host } from "../host.js";

interface KernelTrial {
  implementation: string | null;
  answer: string;
  startMilliseconds: number;
  answerMilliseconds: number;
}

/** Milliseconds for start and answer, on a machine that is busy with the other checks. */
const PATIENCE = 17_000;

/** The kernel: starts, and knows what 1 + 1 is. */
export const kernelCheck: Check = {
  name: "kernel",
  doing: "starting the kernel",
  timeout: PATIENCE + 1000,
  vital: true,
  run: async ({ host }) => {
    const spec = join(host.root, "kernels", "alignscope", "kernel.json");
    if (!host.exists(spec)) {
      const remedy = "restore it with `git checkout -- kernels/alignscope`";
      return [problem("kernel", `there is no kernelspec ${spec}`, remedy)];
    }
    const trial = await attempt<KernelTrial>(host, ["kernel"], PATIENCE);
    return [kernelLine(trial)];
  },
};

function kernelLine(trial: Trial<KernelTrial>): Line {
  const remedy =
    "run `npm run build` and try again; `npx papermill-ts` on any notebook shows what the kernel says";
  if ("refused" in trial) {
    // What the kernel printed follows in further lines: the last that names an error says most.
    const lines = trial.refused.split("\n");
    const reason = lines.filter((line) => /\w*Error:/.test(line)).at(-1) ?? lines[0] ?? "";
    return problem("kernel", `does not start: ${reason.trim().slice(0, 300)}`, remedy);
  }
  if ("ended" in trial) return problem("kernel", `does not start: ${trial.ended}`, remedy);
  const { implementation, answer, startMilliseconds, answerMilliseconds } = trial.said;
  const details = {
    implementation,
    startMilliseconds: Math.round(startMilliseconds),
    answerMilliseconds: Math.round(answerMilliseconds),
  };
  if (answer !== "2") return problem("kernel", `answers 1 + 1 with ${answer}`, remedy, details);
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
  const found = `${implementation ?? "a kernel"} starts in ${seconds(startMilliseconds)}, answers 1 + 1 in ${seconds(answerMilliseconds)}`;
  return startMilliseconds > 10_000
    ? note("kernel", found, "that is slow: run on an idle machine, or from a local disk", details)
    : ok("kernel", found, details);
}

const FRONT_ENDS = [
  { what: "Jupyter Lab", program: "jupyter-lab" },
  { what: "Jupyter Notebook", program: "jupyter-notebook" },
  { what: "Jupyter", program: "jupyter" },
  { what: "VS Code", program: "code" },
] as const;

/** The programs in which somebody may open a notebook, and the kernels that they would find. Reproducing needs none. */
export const jupyterCheck: Check = {
  name: "jupyter",
  doing: "Jupyter and VS Code",
  timeout: 14_000,
  vital: false,
  run: async ({ host }) => {
    const found = await Promise.all(FRONT_ENDS.map((one) => version(host, one)));
    const there = found.filter((text) => text !== undefined);
    const specs = describeKernelspecs({ name: "alignscope", folder: host.root }, undefined, host.env);
    return [
      there.length > 0
        ? ok("front ends", there.join(", "), { found: there.join(", ") })
        : note(
            "front ends",
            "neither Jupyter nor VS Code on the PATH",
            "only needed to open notebooks by hand",
          ),
      ...kernels(specs, there.length > 0),
    ];
  },
};

async function version(
  host: Host,
  { what, program }: (typeof FRONT_ENDS)[number],
): Promise<string | undefined> {
  if (host.findProgram(program) === undefined) return undefined;
  const { stdout, code } = await host.run(program, ["--version"], 12_000);
  if (code !== 0) return `${what} (does not say which version)`;
  // `jupyter --version` lists its parts; the others' first line is the number.
  return `${what} ${/^(?:jupyter_core\s*:\s*)?(\d[\w.]*)/m.exec(stdout)?.[1] ?? ""}`.trim();
}

/** What is said of the kernels that Jupyter finds and that an alignscope installed. */
export function kernels(specs: readonly ListedKernelspec[], wanted: boolean): Line[] {
  const ours = specs.filter(({ origin }) => origin === "installed" || origin === "another alignscope");
  const usable = ours.find(
    ({ origin, problem, hiddenBy }) => origin === "installed" && problem === null && hiddenBy === null,
  );
  const lines: Line[] = [];
  for (const { name, folder, problem: broken, hiddenBy } of ours) {
    const what = `kernelspec ${name}`;
    if (broken !== null) {
      const remedy = `install it again with \`npx alignscope kernel install\`, or remove the folder ${folder}`;
      lines.push(problem(what, `${folder} cannot start: ${broken}`, remedy, { folder }, false));
    } else if (hiddenBy !== null) {
      lines.push(note(what, `${folder} is hidden by ${hiddenBy}`, "remove one of the two", { folder }));
    }
  }
  if (usable) {
    lines.push(
      ok(`kernelspec ${usable.name}`, `${usable.folder}, of this project`, { folder: usable.folder }),
    );
  } else if (lines.every(({ sign }) => sign !== "problem")) {
    const remedy = "`npx alignscope kernel install` offers it in Jupyter and VS Code";
    lines.push(
      note(
        "kernelspec",
        "the kernel is not installed for Jupyter",
        wanted ? remedy : `${remedy}; reproduce needs it not`,
      ),
    );
  }
  return lines;
}
