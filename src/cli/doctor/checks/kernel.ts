import { join } from "node:path";
import type { Check } from "../check.js";
import { type Line, note, ok, problem } from "../report.js";
import { attempt } from "../trials/index.js";

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
    const trial = await attempt<KernelTrial>(host, "try-kernel", [], PATIENCE);
    return [judge(trial)];
  },
};

function judge(trial: Awaited<ReturnType<typeof attempt<KernelTrial>>>): Line {
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
