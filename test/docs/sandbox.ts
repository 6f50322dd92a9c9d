import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { projectRoot } from "../../src/base/paths.js";

/** What a command needs of the project; packages are linked. */
const COPIED = [
  "package.json",
  "package-lock.json",
  "tsconfig.json",
  "tsconfig.notebook.json",
  "dist",
  "src",
  "kernels",
  "notebooks",
  "data",
];

/** A copy of the project in which documents' commands may write what they like, with a home and a Jupyter of its own. */
export class Sandbox {
  readonly root = join(mkdtempSync(join(tmpdir(), "alignscope-docs-")), "alignscope");
  private readonly bin = join(dirname(this.root), "bin");

  constructor() {
    for (const path of COPIED) cpSync(join(projectRoot(), path), join(this.root, path), { recursive: true });
    this.linkPackages();
    // `npm run reproduce` would install first, and npx takes a second to find what lies here.
    const node = JSON.stringify(process.execPath);
    const commands = join(this.root, "src/cli/bin");
    this.program("npx", `name=$1; shift; exec ${node} "${this.root}"/src/*/bin/"$name.mjs" "$@"`);
    this.program(
      "npm",
      `[ "$1 $2" = "run reproduce" ] || { echo "not here: npm $*" >&2; exit 97; }; shift 2; [ "$1" = -- ] && shift
       exec ${node} "${commands}/alignscope.mjs" reproduce "$@"`,
    );
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    writeFileSync(join(this.root, path), text);
  }

  path(path: string): string {
    return join(this.root, path);
  }

  /** Runs a line as a shell would. */
  shell(line: string, timeoutSeconds = 120): SpawnSyncReturns<string> {
    const home = dirname(this.root);
    return spawnSync("sh", ["-c", line], {
      cwd: this.root,
      encoding: "utf8",
      timeout: timeoutSeconds * 1000,
      env: {
        ...process.env,
        PATH: `${this.bin}:${process.env["PATH"]}`,
        JUPYTER_DATA_DIR: join(home, "jupyter"),
        ALIGNSCOPE_CACHE: join(home, "cache"),
        ALIGNSCOPE_MIRROR: "",
        API_KEY: "not-a-key",
      },
    });
  }

  remove(): void {
    rmSync(dirname(this.root), { recursive: true, force: true });
  }

  private linkPackages(): void {
    const [from, to] = [join(projectRoot(), "node_modules"), join(this.root, "node_modules")];
    for (const name of readdirSync(from).filter((name) => name !== ".bin")) {
      for (const place of name === "@alignscope"
        ? readdirSync(join(from, name)).map((one) => join(name, one))
        : [name]) {
        mkdirSync(dirname(join(to, place)), { recursive: true });
        // The project's own packages are links into it, and lead into this copy here.
        const own = lstatSync(join(from, place)).isSymbolicLink();
        symlinkSync(own ? readlinkSync(join(from, place)) : join(from, place), join(to, place));
      }
    }
  }

  private program(name: string, body: string): void {
    mkdirSync(this.bin, { recursive: true });
    writeFileSync(join(this.bin, name), `#!/bin/sh\n${body}\n`);
    chmodSync(join(this.bin, name), 0o755);
  }
}

/** Why nothing can be run here; undefined where it can. */
export function missing(): string | undefined {
  if (process.platform === "win32") return "a POSIX shell";
  return existsSync(join(projectRoot(), "dist/src/cli/main.js")) ? undefined : "the build";
}

/** A notebook for this project's kernel whose code cells are `cells`; the first one holds the parameters. */
export function notebookOf(cells: readonly string[]): string {
  return JSON.stringify({
    nbformat: 4,
    nbformat_minor: 5,
    metadata: {
      kernelspec: { name: "alignscope", display_name: "TypeScript (alignscope)", language: "typescript" },
      language_info: { name: "typescript" },
    },
    cells: cells.map((source, i) => ({
      cell_type: "code",
      id: `cell-${i}`,
      metadata: i === 0 ? { tags: ["parameters"] } : {},
      source,
      outputs: [],
      execution_count: null,
    })),
  });
}
