import type { Command } from "commander";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createProgram } from "../../src/cli/main.js";
import { joinPairs, papermillProgram } from "../../src/papermill/command/papermill-options.js";
import { projectRoot } from "../../src/base/paths.js";

const { scripts } = JSON.parse(readFileSync(join(projectRoot(), "package.json"), "utf8")) as {
  scripts: Record<string, string>;
};

/**
 * Puts a command's words to the program that would get them, without running anything.
 *
 * @throws in the program's own words for an option or a command that it does not know
 */
export function parse(words: readonly string[]): void {
  const [first, second, third, ...rest] = words;
  if (first === "npx" && second === "alignscope") parseAlignscope(words.slice(2));
  else if (first === "npx" && second === "papermill-ts") parsePapermill(words.slice(2));
  else if (first === "npm" && second === "run") parseScript(third as string, rest);
  else if (first === "npm" && second === "test") parseScript("test", []);
  else if (first === "./unpack-and-run.sh" && second !== undefined) parseAlignscope(words.slice(1));
}

function parseScript(name: string, rest: readonly string[]): void {
  if (!(name in scripts)) throw new Error(`package.json has no script ${name}`);
  if (name === "reproduce") parseAlignscope([name, ...rest.filter((word) => word !== "--")]);
}

function parseAlignscope(args: readonly string[]): void {
  const program = createProgram();
  disarm(program);
  program.parse(args, { from: "user" });
}

function parsePapermill(args: readonly string[]): void {
  const program = papermillProgram();
  disarm(program);
  program.parse(joinPairs(args), { from: "user" });
}

/** Parsing alone: no command does anything, and errors are thrown, not printed. */
function disarm(command: Command): void {
  if (command.commands.length === 0) command.action(() => undefined);
  command.exitOverride().configureOutput({ writeErr: () => undefined, outputError: () => undefined });
  for (const child of command.commands) disarm(child);
}
