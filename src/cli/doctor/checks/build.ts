import { join } from "node:path";
import type { Check } from "../check.js";
import type { Host } from "../host.js";
import { type Line, note, ok, problem } from "../report.js";

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
