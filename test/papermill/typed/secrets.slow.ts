import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import {
  executeNotebook,
  isSecret,
  PapermillExecutionError,
  refuseSecretsInPath,
  soundsSecret,
  type ExecuteOptions,
  type RunnerEvent,
} from "../../../src/papermill/index.js";
import { codeCells, notebookOf, printed } from "../notebooks.js";

const folder = mkdtempSync(join(tmpdir(), "secret-parameters-"));
afterAll(() => rmSync(folder, { recursive: true }));

const SECRET = 'hunter"22\\x';
const CELL: [string, string] = ['const apiKey: string = "";\nconst pin: number = 0;', "parameters"];

describe("the name of a secret", () => {
  it.each([
    "apiKey",
    "API_KEY",
    "db_password",
    "HF_TOKEN",
    "hfToken",
    "clientSecret",
    "privateKey",
    "passphrase",
  ])("is recognised: %s", (name) => expect(soundsSecret(name)).toBe(true));
  it.each(["maxNewTokens", "keyComments", "tokenCount", "secretary", "keptDirections", "author", "passes"])(
    "is not: %s",
    (name) => expect(soundsSecret(name)).toBe(false),
  );

  it("makes none of a number, a pattern does, and masking can be switched off", () => {
    expect(isSecret("lensToken", -1)).toBe(false);
    expect(isSecret("pin", 1234, ["^PIN$"])).toBe(true);
    expect(isSecret("apiKey", "x", false)).toBe(false);
    expect(() => isSecret("a", "x", ["("])).toThrow(/^"\(" is no pattern/);
  });

  it("cannot stand in the template of a path", () => {
    expect(() => refuseSecretsInPath("out/{apiKey}.ipynb", { apiKey: "x" })).toThrow(
      "the path out/{apiKey}.ipynb would show the parameter apiKey, which is masked",
    );
    expect(() => refuseSecretsInPath("out/{seed}-{{apiKey}}.ipynb", { apiKey: "x", seed: 1 })).not.toThrow();
  });
});

/** Runs the cells with a secret; everything that was told, returned, thrown and written, as one text. */
async function run(cells: string[], options: ExecuteOptions = {}) {
  const output = join(folder, "out.ipynb");
  const events: RunnerEvent[] = [];
  const result = await executeNotebook(notebookOf([CELL, ...cells]), output, {
    parameters: { apiKey: SECRET },
    onEvent: (event) => void events.push(structuredClone(event)),
    ...options,
  }).catch((error: unknown) => error);
  const failure = result instanceof PapermillExecutionError ? [result.message, { ...result }] : result;
  const written = readFileSync(output, "utf8");
  return { result, events, written, all: JSON.stringify([failure, events, written]) };
}

/** No part of the secret that anybody would recognise, in whatever layer of quoting. */
const LEAK = /hunter|22\\/;

describe("a secret", () => {
  it("reaches the kernel truly and is masked in source, outputs, metadata and events", async () => {
    const cells = [
      "console.log(apiKey.length, apiKey.startsWith('hun'), 'key', apiKey, 'end');",
      "process.stdout.write(apiKey.slice(0, 5)); await new Promise((done) => setTimeout(done, 300)); process.stdout.write(apiKey.slice(5) + '.');",
      "({ nested: [apiKey] })",
    ];
    const { all, result } = await run(cells);
    expect(all).not.toMatch(LEAK);
    const [, injected, first, second] = codeCells(result as Awaited<ReturnType<typeof executeNotebook>>);
    expect(injected?.source).toBe('// Parameters\nconst apiKey: string = "********";\n');
    expect(injected?.metadata["papermill-ts-masked"]).toEqual(["apiKey"]);
    expect(printed(first)).toBe(`${SECRET.length} true key ******** end\n`);
    expect(printed(second)).toMatch(/^\*{8}\./);
    expect(all).toContain('\\"apiKey\\": \\"********\\"');
  }, 60_000);

  it("is masked in the error of a cell, and in what is thrown", async () => {
    const { result, all } = await run(["throw new Error('no entry for ' + apiKey);"]);
    expect(result).toBeInstanceOf(PapermillExecutionError);
    expect((result as PapermillExecutionError).evalue).toBe("no entry for ********");
    expect(all).not.toMatch(LEAK);
  }, 60_000);

  it("is masked where the declared type refuses it, in warnings and the kernel's complaint", async () => {
    const options = { parameters: { pin: SECRET }, maskParameters: ["^pin$"] };
    const { result, events, all } = await run(["pin"], options);
    expect(result).toBeInstanceOf(PapermillExecutionError);
    expect(events).toContainEqual({
      type: "warning",
      message: "parameter pin: got a value that is not shown, expected number",
    });
    expect(all).not.toMatch(LEAK);
  }, 60_000);

  it("is shown when masking is off", async () => {
    const { written } = await run([], { maskParameters: false, prepareOnly: true });
    expect(written).toMatch(LEAK);
  });

  it("has to be given again with the notebook of an earlier run", async () => {
    const options: ExecuteOptions = { prepareOnly: true, parameters: { apiKey: SECRET } };
    const prepared = await executeNotebook(notebookOf([CELL]), null, options);
    const again = executeNotebook(prepared, null, { prepareOnly: true, strictParameters: true });
    await expect(again).rejects.toThrow("apiKey came masked with the notebook of an earlier run");
  });
});
