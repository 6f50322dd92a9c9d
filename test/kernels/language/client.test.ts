import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { LanguageClient } from "../../../kernels/typescript/language/client.js";
import { projectRoot } from "../../../src/base/paths.js";

/** Stands for the thread: it answers with what it was asked, fails, or dies. */
const THREAD = `import { parentPort } from "node:worker_threads";
let asked = 0;
let restored = [];
parentPort.on("message", ({ id, method, args }) => {
  if (method === "restore") restored = args[0];
  else if (args[0] === "whole") parentPort.postMessage({ id, value: { ok: true, cell: {} } });
  else if (args[0] === "restored") parentPort.postMessage({ id, value: restored });
  else if (args[0] === "die") process.exit(3);
  else if (args[0] === "fail") parentPort.postMessage({ id, error: "RangeError: too deep" });
  else if (args[0] !== "hang") parentPort.postMessage({ id, value: [method, ...args, ++asked] });
});`;

let client: LanguageClient;
const started = (): LanguageClient =>
  (client = new LanguageClient(
    { cwd: "/", globals: "/globals.d.ts", packages: [] },
    new URL(`data:text/javascript,${encodeURIComponent(THREAD)}`),
  ));
afterEach(() => client.close());

describe("the language service in its thread", () => {
  it("answers each question", async () => {
    const { complete, hover } = await Promise.all([started().complete("a", 1), client.hover("b", 2)]).then(
      ([complete, hover]) => ({ complete, hover }),
    );
    expect([complete, hover]).toEqual([
      ["complete", "a", 1, 1],
      ["hover", "b", 2, 2],
    ]);
  });

  it("tells what it could not do in one line, and goes on", async () => {
    await expect(started().compile("fail", 1)).rejects.toThrow("RangeError: too deep");
    expect(await client.compile("code", 2)).toEqual(["compile", "code", 2, 1]);
  });

  it("says again and again whether code is whole while it is busy with other things", async () => {
    const kernel = join(projectRoot(), "kernels", "typescript");
    client = new LanguageClient(
      { cwd: kernel, globals: join(kernel, "executor", "cell-globals.d.ts"), packages: [] },
      pathToFileURL(join(kernel, "dist", "language", "worker.js")),
    );
    let busy = true;
    const compiled = client.compile("const a: number[] = [1]; a.map(String)", 1);
    void compiled.finally(() => (busy = false));
    let answers = 0;
    while (busy) {
      expect((await client.completeness("for (;;) {")).status).toBe("incomplete");
      answers++;
    }
    expect((await compiled).ok).toBe(true);
    expect(answers).toBeGreaterThan(5);
  });

  it("that dies rejects what waited, and is started again by the next question", async () => {
    const waiting = started().compile("hang", 1);
    const failed = expect(waiting).rejects.toThrow("the language service ended with exit code 3");
    await expect(client.compile("die", 2)).rejects.toThrow(/^the language service ended with exit code 3$/);
    await failed;
    expect(await client.compile("code", 3)).toEqual(["compile", "code", 3, 1]);
  });

  it("that dies is followed by one that knows the cells there were", async () => {
    await started().compile("whole", 1);
    await client.compile("whole", 2);
    await client.compile("whole", 3);
    await client.settled(2, ["a"]);
    await client.forget(3);
    await expect(client.compile("die", 4)).rejects.toThrow("ended with exit code 3");
    expect(await client.complete("restored", 0)).toEqual([
      { execution: 1, code: "whole" },
      { execution: 2, code: "whole", assigned: ["a"] },
    ]);
  });

  it("that was reset knows no cells, also not the next thread", async () => {
    await started().compile("whole", 1);
    await client.reset();
    await expect(client.compile("die", 2)).rejects.toThrow("ended with exit code 3");
    expect(await client.complete("restored", 0)).toEqual([]);
  });

  it("gives up compiling, and answers other questions", async () => {
    const failed = expect(started().compile("hang", 1)).rejects.toThrow("the compiler was interrupted");
    const completed = client.complete("code", 2);
    await client.abandon();
    await failed;
    expect(await completed).toEqual(["complete", "code", 2, 1]);
  });

  it("that is closed rejects what waited", async () => {
    const failed = expect(started().compile("hang", 1)).rejects.toThrow("the language service was closed");
    await client.close();
    await failed;
  });
});
