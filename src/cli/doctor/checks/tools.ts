import { join } from "node:path";
import type { Check } from "../check.js";
import { note, ok } from "../report.js";

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
