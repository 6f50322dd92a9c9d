import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { installKernelspec } from "../../kernels/typescript/install/index.js";
import { projectRoot } from "../../src/base/paths.js";

/** The system's own, for which Debian packages Jupyter. */
const PYTHON = "/usr/bin/python3";

/** The browser to look with: Debian's or Google's; undefined when there is none. */
export const browserPath = ["/usr/bin/chromium", "/usr/bin/google-chrome"].find((path) => existsSync(path));

/** What is missing here for a notebook in a browser, in words; undefined when all is there. */
export function browserTestsMissing(): string | undefined {
  if (browserPath === undefined) return "needs chromium or Google Chrome";
  const found = spawnSync(PYTHON, ["-c", "import notebook; assert notebook.version_info[0] < 7"]);
  return found.status === 0 ? undefined : "needs Jupyter Notebook 6: Debian's jupyter-notebook";
}

/** A notebook server of its own, with the project's kernel installed as a user would install it. */
export interface JupyterServer {
  /** The page of a notebook that lies in the server's folder. */
  pageOf(notebook: string): string;
  /** Ends it and its kernels. */
  stop(): Promise<void>;
}

/** Serves the notebooks of `folder`; what Jupyter keeps at home goes to `home`. */
export async function startJupyter(folder: string, home: string): Promise<JupyterServer> {
  mkdirSync(home, { recursive: true });
  installKernelspec({ name: "alignscope", folder: projectRoot() }, "alignscope", {
    folder: join(home, "data", "kernels"),
  });
  const token = randomUUID();
  const port = await freePort();
  const server = spawn(
    PYTHON,
    [
      ...["-m", "notebook", "--no-browser", "--allow-root", "--ip=127.0.0.1", `--port=${port}`],
      ...[
        `--NotebookApp.token=${token}`,
        `--notebook-dir=${folder}`,
        "--MappingKernelManager.kernel_info_timeout=60",
      ],
    ],
    {
      cwd: folder,
      stdio: ["ignore", "ignore", "pipe"],
      env: {
        ...process.env,
        HOME: home,
        JUPYTER_CONFIG_DIR: join(home, "config"),
        JUPYTER_DATA_DIR: join(home, "data"),
        JUPYTER_RUNTIME_DIR: join(home, "runtime"),
        IPYTHONDIR: join(home, "ipython"),
        JUPYTER_PATH: undefined,
      },
    },
  );
  const origin = await announced(server);
  return {
    pageOf: (notebook) => `${origin}/notebooks/${encodeURIComponent(notebook)}?token=${token}`,
    async stop() {
      if (server.exitCode !== null || server.signalCode !== null) return;
      const ended = once(server, "exit");
      server.kill("SIGTERM");
      await ended;
    },
  };
}

/** Jupyter takes the next port when someone else was faster, so what it says counts. */
async function freePort(): Promise<number> {
  const listening = createServer().listen(0, "127.0.0.1");
  await once(listening, "listening");
  const { port } = listening.address() as AddressInfo;
  listening.close();
  return port;
}

/** The address that the server prints once it answers. */
function announced(server: ChildProcess): Promise<string> {
  const said: string[] = [];
  return new Promise((resolve, reject) => {
    server.once("exit", (code) => reject(new Error(`Jupyter ended (${code}):\n${said.join("\n")}`)));
    // Read to the end, or the server would wait for room in the pipe some day.
    createInterface({ input: server.stderr! }).on("line", (line) => {
      said.push(line);
      const [origin] = /http:\/\/127\.0\.0\.1:\d+/.exec(line) ?? [];
      if (origin) resolve(origin);
    });
  });
}
