import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CommanderError } from "commander";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { projectRoot } from "../../src/base/paths.js";
import { blocksOf, commandsOf, documents, inlineCommandsOf, wordsOf } from "./documents.js";
import { installExample } from "./example-notebook.js";
import { KNOWN } from "./known.js";
import { parse } from "./parsing.js";
import { missing, notebookOf, Sandbox } from "./sandbox.js";

/** What a command that is named with fewer arguments than it takes may be refused for. */
const TOO_LITTLE = ["commander.help", "commander.missingArgument", "commander.missingMandatoryOptionValue"];

describe.each(documents())("the commands of %s", (document) => {
  const commands = commandsOf(document);

  it("are known to the tests", () => {
    const known = Object.keys(KNOWN[document] ?? {});
    const unknown = [...new Set(commands)].filter((command) => !known.includes(command));
    expect(unknown, `add to KNOWN["${document}"] in test/docs/known.ts how these are run`).toEqual([]);
    const gone = known.filter((command) => !commands.includes(command));
    expect(gone, `not in ${document} any more: remove from test/docs/known.ts`).toEqual([]);
  });

  it("name no option and no command that their program lacks", () => {
    for (const command of commands) {
      for (const words of wordsOf(command)) expect(() => parse(words), command).not.toThrow();
    }
    for (const command of inlineCommandsOf(document)) {
      try {
        for (const words of wordsOf(command)) parse(words);
      } catch (error) {
        if (!(error instanceof CommanderError) || !TOO_LITTLE.includes(error.code)) throw error;
      }
    }
  });

  it("are run where the tests say that they are run", () => {
    for (const [command, known] of Object.entries(KNOWN[document] ?? {})) {
      if ("run" in known) continue;
      expect(readFileSync(join(projectRoot(), known.elsewhere), "utf8"), command).toContain(known.says);
    }
  });

  it("have no other fence for a shell than sh, so that none is passed over", () => {
    for (const other of ["bash", "shell", "console", "zsh"]) expect(blocksOf(document, other)).toEqual([]);
  });
});

const IN_NOTEBOOK = [
  'const size: string = "small";\nconst n: number = 1;\nconst name: string = "";\nconst apiKey: string = "";\n' +
    "const layers: number[] = [];",
  "console.log(size, n, name, layers);",
];

describe.skipIf(missing())(`the documents' commands, run (${missing() ?? "here"})`, () => {
  let sandbox: Sandbox;

  beforeAll(() => {
    sandbox = new Sandbox();
    sandbox.write("in.ipynb", notebookOf(IN_NOTEBOOK));
    sandbox.write("mine.jsonl", '{"prompt":"You are"}\n');
    sandbox.write("pairs.jsonl", '{"prompt_text":"You","unpert_gen_text":" are","pert_gen_text":" were"}\n');
    installExample(sandbox);
    const run = sandbox.shell("npm run reproduce -- --only E");
    expect(run.status, run.stderr).toBe(0);
    for (const name of ["lab-committed", "corrected", "other"])
      sandbox.shell(`cp -r outputs/lab outputs/${name}`);
  });
  afterAll(() => sandbox.remove());

  const all = documents().flatMap((document) =>
    Object.entries(KNOWN[document] ?? {}).map(([command, known]) => ({ document, command, known })),
  );
  it.each(all.filter(({ known }) => "run" in known))("$document: $command", ({ command, known }) => {
    if (!("run" in known)) return;
    if (known.first) sandbox.shell(known.first);
    const result = sandbox.shell(known.as ?? `${command} ${known.with ?? ""}`);
    expect(result.status, result.stdout + result.stderr).toBe(known.exit ?? 0);
    if (known.shows) expect(result.stdout + result.stderr).toMatch(known.shows);
    if (known.leaves) expect(existsSync(sandbox.path(known.leaves)), known.leaves).toBe(true);
  });
});
