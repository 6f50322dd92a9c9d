import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  newConnectionInfo,
  removeConnectionFile,
  socketAddress,
  writeConnectionFile,
} from "../../src/jupyter/index.js";

const folder = join(mkdtempSync(join(tmpdir(), "connection-")), "runtime");
beforeAll(() => {
  process.env["JUPYTER_RUNTIME_DIR"] = folder;
});
afterAll(() => {
  delete process.env["JUPYTER_RUNTIME_DIR"];
  rmSync(folder, { recursive: true });
});

describe("connection files", () => {
  it("name five different ports and a fresh key", async () => {
    const info = await newConnectionInfo("alignscope");
    const ports = [info.shell_port, info.iopub_port, info.stdin_port, info.control_port, info.hb_port];
    expect(new Set(ports).size).toBe(5);
    expect(Math.min(...ports)).toBeGreaterThan(0);
    expect(info.key).toMatch(/^[0-9a-f]{64}$/);
    expect((await newConnectionInfo("alignscope")).key).not.toBe(info.key);
    expect(socketAddress(info, "shell")).toBe(`tcp://127.0.0.1:${info.shell_port}`);
  });

  it("can be read by their owner only and disappear", async () => {
    const info = await newConnectionInfo("alignscope");
    const path = writeConnectionFile(info);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(path, "utf8"))).toEqual(info);
    removeConnectionFile(path);
    removeConnectionFile(path);
    expect(() => statSync(path)).toThrow("ENOENT");
  });
});
