import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createProgram, main } from "../../src/cli/main.js";

let out = "";
let err = "";

beforeEach(() => {
  out = "";
  err = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => ((out += String(text)), true));
  vi.spyOn(process.stderr, "write").mockImplementation((text) => ((err += String(text)), true));
  vi.spyOn(console, "log").mockImplementation((text: string) => void (out += `${text}\n`));
  vi.spyOn(console, "error").mockImplementation((text: string) => void (err += `${text}\n`));
});

afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

/** The exit code of a command line, as a shell would see it. */
function alignscope(...args: string[]): Promise<number> {
  return main(["node", "alignscope", ...args]);
}

describe("the command line", () => {
  it("shows help for every command, and every option of it has a description", async () => {
    expect(await alignscope("--help")).toBe(0);
    const { commands } = createProgram();
    expect(commands.length).toBeGreaterThan(3);
    for (const command of commands) {
      expect(out).toContain(command.name());
      expect(command.description(), command.name()).not.toBe("");
      for (const option of command.options) expect(option.description, option.flags).not.toBe("");
    }
  });

  it("what stands behind a command's name is that command's, also where the one above has such an option", async () => {
    const program = createProgram();
    const find = (from: typeof program, name: string): typeof program =>
      from.commands.find((one) => one.name() === name) ?? from;
    const seen: unknown[] = [];
    const { commands } = find(program, "bench");
    for (const command of commands) command.action((...given) => void seen.push(given.at(-2)));
    await program.parseAsync(["node", "alignscope", "bench", "kernels", "tslab", "--runs", "1", "--json"]);
    await program.parseAsync(["node", "alignscope", "bench", "pretrain", "--json", "--repetitions", "2"]);
    expect(seen).toMatchObject([
      { runs: 1, json: true },
      { repetitions: 2, json: true },
    ]);
  });

  it("suggests the nearest command for an unknown one, in one line, with exit code 2", async () => {
    expect(await alignscope("reprduce")).toBe(2);
    expect(err).toBe("alignscope: unknown command 'reprduce' (Did you mean reproduce?)\n");
  });

  it("says in one line what is wrong with an option, with exit code 2", async () => {
    expect(await alignscope("reproduce", "--jobs", "none")).toBe(2);
    expect(err).toMatch(/^alignscope: option '--jobs <n>'.* expected a whole number above 0\n$/);
  });

  it("says in one line what is wrong with what was asked for, with exit code 1", async () => {
    expect(await alignscope("plan", "--profile", "huge")).toBe(1);
    expect(err).toMatch(
      /^alignscope: unknown profile: huge \(expected one of lab, lab-full, gpt2, paper\)\n$/,
    );
  });

  it("says that there is nothing to render before anything has run", async () => {
    expect(await alignscope("site", "--outputs", "/nowhere")).toBe(1);
    expect(err).toBe("alignscope: no results in /nowhere: run `alignscope reproduce` first\n");
  });
});
