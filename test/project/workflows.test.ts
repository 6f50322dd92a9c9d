import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { createProgram } from "../../src/cli/main.js";
import { projectRoot } from "../../src/base/paths.js";
import { profileNames } from "../../src/pipeline/index.js";
import { BACKENDS } from "../../src/tensors/index.js";

interface Step {
  uses?: string;
  run?: string;
  if?: string;
  with?: Record<string, unknown>;
}
interface Job {
  "runs-on": string | string[];
  "timeout-minutes"?: number;
  permissions?: Record<string, string>;
  needs?: string;
  if?: string;
  strategy?: { matrix: Record<string, string[]> };
  steps: Step[];
}
interface Workflow {
  on: Record<string, { inputs?: Record<string, { options?: string[]; default: string }> } | null>;
  permissions: Record<string, string>;
  concurrency: { group: string };
  jobs: Record<string, Job>;
}

const folder = join(projectRoot(), ".github", "workflows");
const workflows = readdirSync(folder).map(
  (name) => [name, parse(readFileSync(join(folder, name), "utf8")) as Workflow] as const,
);
const named = (name: string): Workflow => {
  const found = workflows.find(([file]) => file === name);
  if (!found) throw new Error(`no workflow ${name}`);
  return found[1];
};
const { scripts } = JSON.parse(readFileSync(join(projectRoot(), "package.json"), "utf8")) as {
  scripts: Record<string, string>;
};

/** Every use of `npm run X`, `npm test` and `npx alignscope X` in a shell's lines. */
function commandsIn(run: string): { npm: string[]; alignscope: string[] } {
  return {
    npm: [...run.matchAll(/\bnpm (?:run )?([\w:]+)/g)].map(([, name = ""]) => name),
    alignscope: [...run.matchAll(/\bnpx alignscope ([\w-]+)/g)].map(([, name = ""]) => name),
  };
}

describe.each(workflows)("the workflow %s", (_, workflow) => {
  const jobs = Object.values(workflow.jobs);
  const steps = jobs.flatMap((job) => job.steps);

  it("runs only scripts, commands and options that are there", () => {
    const commands = createProgram().commands;
    for (const { run } of steps) {
      if (run === undefined) continue;
      const { npm, alignscope } = commandsIn(run);
      for (const name of npm) expect(Object.keys(scripts), run).toContain(name);
      for (const name of alignscope)
        expect(
          commands.map((one) => one.name()),
          run,
        ).toContain(name);
      const name = alignscope[0] ?? (npm.includes("reproduce") ? "reproduce" : undefined);
      const options = commands.find((one) => one.name() === name)?.options.map(({ long }) => long) ?? [];
      if (name !== undefined) {
        for (const [option] of run.matchAll(/--[a-z][\w-]+/g)) expect(options, run).toContain(option);
      }
    }
    expect(steps.some(({ run }) => run !== undefined)).toBe(true);
  });

  it("may only read, unless a job says what more it needs; pins its actions; ends; and keeps npm's packages", () => {
    expect(workflow.permissions).toEqual({ contents: "read" });
    expect(workflow.concurrency.group).toBeTruthy();
    for (const job of jobs) expect(job["timeout-minutes"]).toBeGreaterThan(0);
    for (const { uses } of steps) if (uses !== undefined) expect(uses).toMatch(/^[\w-]+\/[\w-]+@v\d+$/);
    const setups = steps.filter(({ uses }) => uses?.startsWith("actions/setup-node@"));
    expect(setups.length).toBeGreaterThan(0);
    for (const { with: given } of setups) expect(given?.["cache"]).toBe("npm");
  });

  it("never puts an input into a command, where it could be read as one", () => {
    for (const { run } of steps) expect(run ?? "").not.toContain("${{");
  });
});

describe("continuous integration", () => {
  const { jobs } = named("ci.yml");

  it("tests on Linux and macOS with Node.js 20, 22 and 24, and calls apt on Linux only", () => {
    const test = jobs["test"];
    expect(test?.strategy?.matrix).toEqual({
      os: ["ubuntu-latest", "macos-latest"],
      node: ["20", "22", "24"],
    });
    expect(test?.steps.map(({ run }) => run)).toContain("npm test");
    for (const { run, if: when } of test?.steps ?? []) {
      if (run?.includes("apt-get")) expect(when).toBe("runner.os == 'Linux'");
    }
  });

  it("reproduces the profile lab and shows its pages from main only", () => {
    const uses = (job: Job | undefined, action: string) =>
      job?.steps.find((step) => step.uses?.startsWith(action));
    const onMain = "github.ref == 'refs/heads/main' && github.event_name == 'push'";
    expect(jobs["reproduce"]?.steps.map(({ run }) => run)).toContain("npm run reproduce");
    const pages = uses(jobs["reproduce"], "actions/upload-pages-artifact@");
    expect([pages?.with?.["path"], pages?.if]).toEqual(["outputs/lab/site/", onMain]);
    const { publish } = jobs;
    expect([publish?.needs, publish?.if]).toEqual(["reproduce", onMain]);
    expect(publish?.permissions).toEqual({ pages: "write", "id-token": "write" });
    expect(uses(publish, "actions/deploy-pages@")).toBeDefined();
  });
});

describe("the run on a GPU", () => {
  const workflow = named("gpu.yml");

  it("is started by hand, offers profiles and backends that there are, and keeps its outputs", () => {
    const inputs = workflow.on["workflow_dispatch"]?.inputs ?? {};
    expect(Object.keys(workflow.on)).toEqual(["workflow_dispatch"]);
    expect(inputs["profile"]?.default).toBe("paper");
    const profiles = profileNames(join(projectRoot(), "notebooks", "profiles"));
    expect([...(inputs["profile"]?.options ?? [])].sort()).toEqual([...profiles].sort());
    for (const name of inputs["backend"]?.options ?? []) expect(["auto", ...BACKENDS]).toContain(name);
    expect(inputs["only"]?.default).toBe("");
    const [job] = Object.values(workflow.jobs);
    expect(job?.["runs-on"]).toContain("gpu");
    const upload = job?.steps.find(({ uses }) => uses?.startsWith("actions/upload-artifact@"));
    expect([upload?.if, upload?.with?.["path"]]).toEqual(["always()", "outputs/${{ inputs.profile }}"]);
  });
});
