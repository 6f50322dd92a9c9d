import { join } from "node:path";
import { type Check, type Line, note, ok, problem } from "../check.js";
import type { Host } from "../host.js";

/** The newest major version that continuous integration runs. */
const NEWEST_TESTED = 24;

/** Node.js against `engines` of package.json. */
export const nodeCheck: Check = {
  name: "node",
  doing: "Node.js",
  timeout: 2000,
  vital: true,
  run: ({ host }) => Promise.resolve([nodeLine(host)]),
};

function nodeLine(host: Host): Line {
  const { engines } = JSON.parse(host.read(join(host.root, "package.json")) ?? "{}") as {
    engines?: { node?: string };
  };
  const oldest = engines?.node?.replace(/^>=/, "") ?? "20.19";
  const version = host.nodeVersion;
  const details = { version, oldest, newestTested: NEWEST_TESTED };
  if (isOlder(version, oldest)) {
    const remedy = `install Node.js ${oldest} or newer (https://nodejs.org), then \`npm run build\``;
    return problem("node", `Node.js ${version} is too old`, remedy, details);
  }
  if (Number(version.split(".")[0]) > NEWEST_TESTED) {
    const remedy = `should something fail, try Node.js ${NEWEST_TESTED}`;
    return note("node", `Node.js ${version} is newer than what is tested`, remedy, details);
  }
  return ok("node", `Node.js ${version} (${oldest} or newer is needed)`, details);
}

function isOlder(version: string, than: string): boolean {
  const [a, b] = [version, than].map((text) => text.split(".").map(Number));
  for (let i = 0; i < 3; i++) {
    const difference = (a?.[i] ?? 0) - (b?.[i] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

/** Packages that bring compiled code, and what is lost without them. */
const ADDONS = [
  { name: "zeromq", without: "no kernel can be spoken to", vital: true },
  { name: "koffi", without: "the wasm backend does without the system's BLAS", vital: false },
  { name: "@resvg/resvg-js", without: "figures have no PNG", vital: true },
] as const;

/** The packages, their compiled parts, and the build. */
export const buildCheck: Check = {
  name: "build",
  doing: "packages and build",
  timeout: 10_000,
  vital: true,
  run: async ({ host }) => {
    const addons = ADDONS.map((addon) => loads(host, addon));
    return [...(await current(host)), ...(await Promise.all(addons))];
  },
};

/** Asks the script that installs and builds whether it would have anything to do. */
async function current(host: Host): Promise<Line[]> {
  const script = join(host.root, "src/cli/bin/bootstrap.mjs");
  if (!host.exists(script)) {
    return [ok("packages", "as they were packed"), ok("build", "as it was packed")];
  }
  const { stdout } = await host.run(process.execPath, [script, "current"], 8000);
  const said = /^\{.*\}$/m.exec(stdout)?.[0];
  if (said === undefined) {
    return [note("packages", "whether they are current could not be found out", "run `npm run build`")];
  }
  const { packages, build } = JSON.parse(said) as { packages: boolean; build: boolean };
  const modules = host.exists(join(host.root, "node_modules", "typescript"));
  const built = host.exists(join(host.root, "dist", "src", "index.js"));
  return [
    !modules
      ? problem("packages", "node_modules is not there", "run `npm run build`, which installs them")
      : packages
        ? ok("packages", "node_modules is what package-lock.json asks for")
        : note("packages", "node_modules is not what package-lock.json asks for", "run `npm run build`"),
    !built
      ? problem("build", "dist/ is not there", "run `npm run build`")
      : build
        ? ok("build", "dist/ is of these sources")
        : note("build", "dist/ is older than the sources", "run `npm run build`"),
  ];
}

async function loads(
  host: Host,
  { name, without, vital }: { name: string; without: string; vital: boolean },
): Promise<Line> {
  const what = `addon ${name}`;
  const script = `require(require.resolve(process.argv[1], { paths: [process.argv[2]] }))`;
  const { code, signal, stderr, failure } = await host.run(
    process.execPath,
    ["-e", script, name, host.root],
    8000,
  );
  if (code === 0) return ok(what, "loads");
  const why =
    /^(?:\w*Error|Error): (.*)$/m.exec(stderr)?.[1] ??
    (failure === "timeout"
      ? "no result after 8 s"
      : `its process ended with ${signal ?? `exit code ${code}`}`);
  const found = `does not load (${why.slice(0, 160)}): ${without}`;
  const remedy =
    "remove node_modules and run `npm run build`; npm has to be allowed to run install scripts " +
    "(`npm config get ignore-scripts` says false)";
  return vital ? problem(what, found, remedy) : note(what, found, remedy);
}

/** Programs beside Node.js that make a run's record better. */
export const toolsCheck: Check = {
  name: "tools",
  doing: "git",
  timeout: 6000,
  vital: false,
  run: async ({ host }) => {
    const { stdout, failure, code } = await host.run(
      "git",
      ["-C", host.root, "rev-parse", "--short", "HEAD"],
      5000,
    );
    if (failure === "missing") {
      return [note("git", "not installed: a run's manifest will name no commit", "install git")];
    }
    if (code !== 0) {
      return host.exists(join(host.root, ".git"))
        ? [
            note(
              "git",
              "does not say which commit this is: a run's manifest will name none",
              `run \`git -C ${host.root} status\`, which says why`,
            ),
          ]
        : [note("git", "this is no clone: a run's manifest will name no commit", null)];
    }
    return [ok("git", `commit ${stdout.trim()}`, { commit: stdout.trim() })];
  },
};
