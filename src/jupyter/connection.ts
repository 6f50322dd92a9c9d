import { randomBytes, randomUUID } from "node:crypto";
// eslint-disable-next-line no-restricted-imports -- of a name that nobody has, and gone with its kernel
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { UserError, messageOf } from "@alignscope/base/errors";
import { runtimeFolder } from "./jupyter-folders.js";

/** What both ends need to meet: the content of a connection file. */
export interface ConnectionInfo {
  transport: "tcp";
  ip: string;
  shell_port: number;
  iopub_port: number;
  stdin_port: number;
  control_port: number;
  hb_port: number;
  /** Shared secret for signatures; whoever knows it can run code in the kernel. */
  key: string;
  signature_scheme: "hmac-sha256";
  kernel_name: string;
}

/** The address of one of the five sockets, e.g. `tcp://127.0.0.1:40123`. */
export function socketAddress(
  info: ConnectionInfo,
  channel: "shell" | "iopub" | "stdin" | "control" | "hb",
): string {
  return `${info.transport}://${info.ip}:${info[`${channel}_port`]}`;
}

/**
 * Five ports that are free now, on the loopback interface. Another program may take one before the kernel binds it
 * (the protocol has no remedy), so whoever starts a kernel tries again with new ones.
 */
export async function newConnectionInfo(kernelName: string): Promise<ConnectionInfo> {
  const [shell = 0, iopub = 0, stdin = 0, control = 0, hb = 0] = await freePorts(5);
  return {
    transport: "tcp",
    ip: "127.0.0.1",
    shell_port: shell,
    iopub_port: iopub,
    stdin_port: stdin,
    control_port: control,
    hb_port: hb,
    key: randomBytes(32).toString("hex"),
    signature_scheme: "hmac-sha256",
    kernel_name: kernelName,
  };
}

/** Writes the connection file for the owner's eyes only (mode 0600) and returns its path. */
export function writeConnectionFile(info: ConnectionInfo): string {
  const folder = runtimeFolder();
  const path = join(folder, `kernel-${randomUUID()}.json`);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    // "wx": a file of this name made by someone else is never followed or reused.
    writeFileSync(path, JSON.stringify(info, null, 1), { mode: 0o600, flag: "wx" });
  } catch (error) {
    throw new UserError(
      `cannot write a connection file in ${folder} (${messageOf(error)}): set JUPYTER_RUNTIME_DIR to a folder of yours`,
    );
  }
  return path;
}

/** Removes the connection file; one that is gone already is fine. */
export function removeConnectionFile(path: string): void {
  rmSync(path, { force: true });
}

/** Holds all of them at once, so that no two are the same, then lets them go. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, () => listen()));
  return Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve) => {
          const address = server.address();
          const port = typeof address === "object" && address ? address.port : 0;
          server.close(() => resolve(port));
        }),
    ),
  );
}

function listen(): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen({ port: 0, host: "127.0.0.1", exclusive: true }, () => resolve(server));
  });
}
