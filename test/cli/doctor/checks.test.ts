import { describe, expect, it } from "vitest";
import type { Check, Context, Line } from "../../../src/cli/doctor/check.js";
import { backendsCheck, blasCheck, gpuCheck, splitRemedy } from "../../../src/cli/doctor/checks/backends.js";
import { buildCheck, nodeCheck, toolsCheck } from "../../../src/cli/doctor/checks/installation.js";
import { dataCheck } from "../../../src/cli/doctor/checks/data.js";
import { diskCheck, memoryCheck } from "../../../src/cli/doctor/checks/resources.js";
import { kernelCheck, kernels } from "../../../src/cli/doctor/checks/jupyter.js";
import { networkCheck } from "../../../src/cli/doctor/checks/network.js";
import { fakeContext, fakeForecast, fakeHost, printed } from "./fake-host.js";

/** The line about `what`, which has a remedy if it is a problem. */
async function lineOf(check: Check, context: Context, what: string): Promise<Line> {
  const line = (await check.run(context)).find((one) => one.what === what);
  if (!line) throw new Error(`no line about ${what}`);
  if (line.sign === "problem") expect(line.remedy).toBeTruthy();
  return line;
}

const trial = (said: unknown) => printed(`\nTRIAL ${JSON.stringify(said)}\n`);

describe("doctor says of Node.js", () => {
  it.each([
    ["18.20.4", "problem", true],
    ["20.18.9", "problem", true],
    ["20.19.0", "ok", false],
    ["24.1.0", "ok", false],
    ["26.0.0", "note", false],
  ] as const)("%s: %s", async (nodeVersion, sign, stops) => {
    expect(await lineOf(nodeCheck, fakeContext(fakeHost({ nodeVersion })), "node")).toMatchObject({
      sign,
      stops,
    });
  });
});

describe("doctor says of packages and build", () => {
  it("that they have to be made again, and how, when they are missing, old or do not load", async () => {
    const node = (args: readonly string[]) =>
      args.includes("current")
        ? printed('{"packages":true,"build":false}\n')
        : {
            code: 1,
            signal: null,
            stdout: "",
            stderr: "Error: No native build was found\n    at x",
            failure: null,
          };
    const host = fakeHost({}, { node });
    expect(await lineOf(buildCheck, fakeContext(host), "build")).toMatchObject({
      sign: "note",
      remedy: "run `npm run build`",
    });
    const addon = await lineOf(buildCheck, fakeContext(host), "addon zeromq");
    expect(addon).toMatchObject({ sign: "problem", stops: true });
    expect(addon.found).toContain("No native build was found");
    const bare = fakeHost({ exists: (path) => path.endsWith("bootstrap.mjs") }, { node });
    expect(await lineOf(buildCheck, fakeContext(bare), "packages")).toMatchObject({
      sign: "problem",
      stops: true,
    });
  });
});

describe("doctor says of the kernel", () => {
  it.each([
    [
      "that it answers",
      trial({ implementation: "k 1", answer: "2", startMilliseconds: 900, answerMilliseconds: 9 }),
      "ok",
    ],
    [
      "why it does not start",
      trial({ refused: "the kernel did not start; it printed:\nx\nError: no tslab" }),
      "problem",
    ],
    ["that it crashed", { code: null, signal: "SIGSEGV", stdout: "", stderr: "", failure: null }, "problem"],
    [
      "that it kept silent",
      { code: null, signal: null, stdout: "", stderr: "", failure: "timeout" as const },
      "problem",
    ],
  ] as const)("%s", async (_, ran, sign) => {
    const line = await lineOf(kernelCheck, fakeContext(fakeHost({}, { node: () => ran })), "kernel");
    expect(line.sign).toBe(sign);
    expect(line.stops).toBe(sign === "problem");
    if (ran.signal) expect(line.found).toContain(ran.signal);
  });

  it("that its kernelspec is gone", async () => {
    const host = fakeHost({ exists: () => false });
    expect((await lineOf(kernelCheck, fakeContext(host), "kernel")).remedy).toContain("git checkout");
  });
});

describe("doctor says of backends", () => {
  const opened = (backend: string) =>
    trial({
      opened: { backend, device: "CPU", blas: "OpenBLAS", threads: 2, notes: [] },
      product: { side: 512, milliseconds: 4, right: true },
    });

  it("which open, which crash and which refuse, with what to do; a crash of one stops nothing", async () => {
    const node = ([, , name = ""]: readonly string[]) => {
      if (name === "wasm" || name === "cpu") return opened(name);
      if (name === "webgpu") return { code: null, signal: "SIGSEGV", stdout: "", stderr: "", failure: null };
      return trial({ refused: `${name}: no driver (install it)` });
    };
    const lines = await backendsCheck.run(fakeContext(fakeHost({}, { node })));
    expect(lines.map(({ sign }) => sign)).toEqual(["note", "note", "note", "ok", "ok"]);
    expect(lines[0]).toMatchObject({ found: "does not open: no driver", remedy: "install it" });
    expect(lines[2]?.found).toContain("SIGSEGV");
    expect(lines.some(({ stops }) => stops)).toBe(false);
  });

  it("that nothing can run when only the referee opens", async () => {
    const node = ([, , name = ""]: readonly string[]) =>
      name === "cpu" ? opened(name) : trial({ refused: "no" });
    const line = await lineOf(backendsCheck, fakeContext(fakeHost({}, { node })), "backend wasm");
    expect(line).toMatchObject({ sign: "problem", stops: true });
  });

  it("the remedy that a refusal ends with", () => {
    expect(splitRemedy("no x (y) here (do z)")).toEqual({ reason: "no x (y) here", remedy: "do z" });
    expect(splitRemedy("no x (run y (z))")).toEqual({ reason: "no x", remedy: "run y (z)" });
    expect(splitRemedy("no x")).toEqual({ reason: "no x", remedy: null });
  });
});

describe("doctor says of this machine", () => {
  it("that there is no BLAS, that it runs slower, and which package brings one", async () => {
    const node = () =>
      trial({ refused: "no BLAS: none of 7 known libraries found (apt-get install libopenblas0-pthread)" });
    const line = await lineOf(blasCheck, fakeContext(fakeHost({}, { node })), "blas");
    expect(line).toMatchObject({ sign: "note", stops: false });
    expect(line.remedy).toContain("apt install libopenblas0-pthread");
    expect(line.found).toMatch(/^none: none of 7 known libraries found; .* take several times as long$/);
  });

  it("which GPU there is, or that its tools do not answer", async () => {
    const gpu = {
      "nvidia-smi": () => printed("H100, 570.1, 81559 MiB\n"),
      ldconfig: () => printed("libcuda.so.1 libvulkan.so.1"),
    };
    expect(await lineOf(gpuCheck, fakeContext(fakeHost({}, gpu)), "gpu")).toMatchObject({
      sign: "ok",
      details: { driver: "570.1" },
    });
    expect((await lineOf(gpuCheck, fakeContext(fakeHost({ exists: () => false })), "gpu")).found).toBe(
      "no NVIDIA driver",
    );
  });

  it("that the disk is full, or a folder not writable, and stops", async () => {
    const full = fakeHost({ freeBytes: () => Promise.resolve(1000) });
    const line = await lineOf(diskCheck, fakeContext(full, fakeForecast(1e9)), "disk outputs");
    expect(line).toMatchObject({ sign: "problem", stops: true });
    expect(line.remedy).toContain("--outputs DIR");
    const readOnly = fakeHost({ writable: (folder) => !folder.startsWith("/home/me") });
    expect(await lineOf(diskCheck, fakeContext(readOnly), "disk kernel's")).toMatchObject({
      sign: "problem",
      stops: true,
    });
    expect(await lineOf(diskCheck, fakeContext(readOnly), "disk cache")).toMatchObject({ sign: "note" });
  });

  it("that memory is short: of the machine, of the container, or only just now", async () => {
    const sign = async (memory: { total: number; free: number; limit: number | null }, needed: number) =>
      (
        await lineOf(
          memoryCheck,
          fakeContext(fakeHost({ memory: () => memory }), fakeForecast(needed)),
          "memory",
        )
      ).sign;
    expect(await sign({ total: 32e9, free: 30e9, limit: null }, 1e9)).toBe("ok");
    expect(await sign({ total: 32e9, free: 1e9, limit: null }, 1e9)).toBe("note");
    expect(await sign({ total: 32e9, free: 30e9, limit: 2e9 }, 8e9)).toBe("note");
    expect(await sign({ total: 32e9, free: 30e9, limit: 0.5e9 }, 8e9)).toBe("problem");
  });

  it("that git is missing, which stops nothing", async () => {
    expect(await lineOf(toolsCheck, fakeContext(fakeHost()), "git")).toMatchObject({
      sign: "note",
      remedy: "install git",
    });
  });
});

describe("doctor says of the network", () => {
  const unreachable = (answer: string) =>
    fakeHost(
      { reach: () => Promise.resolve({ reached: false, answer, milliseconds: 4000 }) },
      { npm: () => printed("registry = https://me:secret@npm.example/\nhttps-proxy = null\n") },
    );

  it("that the registry does not answer, without its password, and what to do by the reason", async () => {
    const line = await lineOf(networkCheck, fakeContext(unreachable("ENOTFOUND")), "npm registry");
    expect(line).toMatchObject({ sign: "note", stops: false });
    expect(line.found).toBe("https://npm.example/ does not answer (ENOTFOUND)");
    const refused = await lineOf(networkCheck, fakeContext(unreachable("proxy: HTTP 407")), "npm registry");
    expect(refused.remedy).toContain("npm config set https-proxy");
  });

  it("that the hub does not answer, which stops only a profile that lacks what it has", async () => {
    const has = fakeContext(unreachable("ENOTFOUND"), fakeForecast(1));
    expect(await lineOf(networkCheck, has, "hub")).toMatchObject({ sign: "note", stops: false });
    const lacks = fakeForecast(1, [{ name: "gpt2", here: false, where: "download" }]);
    const line = await lineOf(networkCheck, fakeContext(unreachable("ENOTFOUND"), lacks), "hub");
    expect(line).toMatchObject({ sign: "problem", stops: true });
    expect(line.found).toContain("lacks gpt2");
  });

  it("nothing when told to ask nobody", async () => {
    const asked: string[] = [];
    const host = fakeHost({ reach: (url) => (asked.push(url), Promise.reject(new Error("asked"))) });
    await networkCheck.run({ ...fakeContext(host), offline: true });
    expect(asked).toEqual([]);
  });
});

describe("doctor says of data and kernelspecs", () => {
  it("that the mirror's folder is not there, which stops no profile that has its data", async () => {
    const host = fakeHost({ exists: (path) => path !== "/gone" });
    const context = { ...fakeContext(host, fakeForecast(1, [{ name: "lab" }])), mirror: "/gone" };
    expect(await lineOf(dataCheck, context, "mirror")).toMatchObject({
      sign: "problem",
      stops: false,
      found: "there is no /gone",
    });
    expect((await lineOf(dataCheck, context, "data")).sign).toBe("ok");
  });

  it("that a kernelspec points to nothing, and how to mend it", () => {
    const spec = {
      ...{ name: "alignscope", displayName: "", language: "typescript", interruptMode: "message" as const },
      ...{ folder: "/home/me/k", origin: "another alignscope" as const, project: "/gone", hiddenBy: null },
    };
    const [line] = kernels([{ ...spec, problem: "no /gone/main.js" }], true);
    expect(line).toMatchObject({
      sign: "problem",
      stops: false,
      found: "/home/me/k cannot start: no /gone/main.js",
    });
    expect(line?.remedy).toContain("npx alignscope kernel install");
    expect(kernels([{ ...spec, origin: "installed", problem: null }], true)[0]?.sign).toBe("ok");
    expect(kernels([], true)[0]?.sign).toBe("note");
  });
});
