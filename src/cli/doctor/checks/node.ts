import { join } from "node:path";
import type { Check } from "../check.js";
import { note, ok, problem } from "../report.js";

/** The newest major version that continuous integration runs. */
const NEWEST_TESTED = 24;

/** Node.js against `engines` of package.json. */
export const nodeCheck: Check = {
  name: "node",
  doing: "Node.js",
  timeout: 2000,
  vital: true,
  run: ({ host }) => {
    const { engines } = JSON.parse(host.read(join(host.root, "package.json")) ?? "{}") as {
      engines?: { node?: string };
    };
    const oldest = engines?.node?.replace(/^>=/, "") ?? "20.19";
    const version = host.nodeVersion;
    const details = { version, oldest, newestTested: NEWEST_TESTED };
    if (isOlder(version, oldest)) {
      const remedy = `install Node.js ${oldest} or newer (https://nodejs.org), then \`npm run build\``;
      return Promise.resolve([problem("node", `Node.js ${version} is too old`, remedy, details)]);
    }
    if (Number(version.split(".")[0]) > NEWEST_TESTED) {
      const remedy = `should something fail, try Node.js ${NEWEST_TESTED}`;
      return Promise.resolve([
        note("node", `Node.js ${version} is newer than what is tested`, remedy, details),
      ]);
    }
    return Promise.resolve([ok("node", `Node.js ${version} (${oldest} or newer is needed)`, details)]);
  },
};

function isOlder(version: string, than: string): boolean {
  const [a, b] = [version, than].map((text) => text.split(".").map(Number));
  for (let i = 0; i < 3; i++) {
    const difference = (a?.[i] ?? 0) - (b?.[i] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}
