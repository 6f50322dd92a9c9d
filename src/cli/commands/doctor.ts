import type { Command } from "commander";
import { cursorTo, clearLine } from "node:readline";

interface DoctorFlags {
  profile: string;
  outputs?: string;
  offline?: boolean;
  json?: boolean;
}

/** `alignscope doctor`: what stands between this machine and a run, and what to do about each. */
export function doctorCommand(program: Command): void {
  program
    .command("doctor")
    .description(
      "look at Node.js, build, kernel, backends, disk, network, data and Jupyter; say what is missing and what to do",
    )
    .option("--profile <name>", "check what this profile needs: lab, lab-full, gpt2 or paper", "lab")
    .option("--outputs <dir>", "where results would go (default: outputs/PROFILE)")
    .option("--offline", "ask nobody over the network")
    .option("--json", "print JSON")
    .action(async ({ json, ...options }: DoctorFlags) => {
      const { examine, reportText } = await import("../doctor/examine.js");
      const report = await examine({ ...options, onProgress: showProgress });
      clearProgress();
      console.log(json ? JSON.stringify(report, null, 2) : reportText(report));
      process.exitCode = report.runs ? 0 : 1;
    });
}

/** One line on the terminal that is written over: how much is done and what is waited for. */
function showProgress(done: number, all: number, going: readonly string[]): void {
  const out = process.stderr;
  if (!out.isTTY) return;
  clearProgress();
  out.write(`[${done}/${all}] ${going.join(", ")}`.slice(0, out.columns - 1));
}

function clearProgress(): void {
  if (!process.stderr.isTTY) return;
  cursorTo(process.stderr, 0);
  clearLine(process.stderr, 0);
}
