import { describeKernelspecs, type ListedKernelspec } from "ts-jupyter-kernel/install";
import type { Check } from "../check.js";
import type { Host } from "../host.js";
import { type Line, note, ok, problem } from "../report.js";

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
