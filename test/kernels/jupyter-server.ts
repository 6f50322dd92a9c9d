import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { installKernelspec } from "../../kernels/typescript/install/index.js";
import { projectRoot } from "../../src/base/paths.js";
import { labFolder } from "./jupyterlab/build.mjs";

/** The system's own, for which Debian packages Jupyter. */
const PYTHON = "/usr/bin/python3";

/** The browser to look with: Debian's or Google's; undefined when there is none. */
export const browserPath = ["/usr/bin/chromium", "/usr/bin/google-chrome"].find((path) => existsSync(path));

/** What is missing here for a notebook in a browser, in words; undefined when all is there. */
export function browserTestsMissing(): string | undefined {
  if (browserPath === undefined) return NO_BROWSER;
  if (pythonRuns("import notebook; assert notebook.version_info[0] < 7")) return undefined;
  return "needs Jupyter Notebook 6: Debian's jupyter-notebook";
}

/** The same for JupyterLab. */
export function labTestsMissing(): string | undefined {
  if (browserPath === undefined) return NO_BROWSER;
  if (!pythonRuns("import jupyter_server")) return "needs Jupyter Server: Debian's python3-jupyter-server";
  return existsSync(labFolder()) ? undefined : "needs JupyterLab: node test/kernels/jupyterlab/build.mjs";
}

const NO_BROWSER = "needs chromium or Google Chrome";

function pythonRuns(code: string): boolean {
  return spawnSync(PYTHON, ["-c", code]).status === 0;
}

/** A notebook server of its own, with the project's kernel installed as a user would install it. */
export interface JupyterServer {
  /** The page of a notebook that lies in the server's folder. */
  pageOf(notebook: string): string;
  /** Ends it and its kernels. */
  stop(): Promise<void>;
}

/** Serves the notebooks of `folder` in Jupyter's classic page; what Jupyter keeps at home goes to `home`. */
export async function startJupyter(folder: string, home: string): Promise<JupyterServer> {
  const token = randomUUID();
  const options = [`--NotebookApp.token=${token}`, `--notebook-dir=${folder}`];
  const { origin, stop } = await serve("notebook", options, folder, home);
  return { pageOf: (notebook) => `${origin}/notebooks/${encodeURIComponent(notebook)}?token=${token}`, stop };
}

/** The same in JupyterLab, as `jupyterlab/build.mjs` has built it. */
export async function startJupyterLab(folder: string, home: string): Promise<JupyterServer> {
  const token = randomUUID();
  const options = [
    ...[`--ServerApp.token=${token}`, `--ServerApp.root_dir=${folder}`],
    `--ServerApp.extra_static_paths=${labFolder()}`,
  ];
  const { origin, stop } = await serve("jupyter_server", options, folder, home);
  return {
    pageOf: (notebook) =>
      `${origin}/static/index.html?notebook=${encodeURIComponent(notebook)}&token=${token}`,
    stop,
  };
}

async function serve(module: string, options: string[], folder: string, home: string) {
  mkdirSync(home, { recursive: true });
  installKernelspec({ name: "alignscope", folder: projectRoot() }, "alignscope", {
    folder: join(home, "data", "kernels"),
  });
  const port = await freePort();
  const server = spawn(
    PYTHON,
    [
      ...["-m", module, "--no-browser", "--allow-root", "--ip=127.0.0.1", `--port=${port}`],
      ...[...options, "--MappingKernelManager.kernel_info_timeout=60"],
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
    origin,
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
