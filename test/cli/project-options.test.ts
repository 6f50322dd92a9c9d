import { Command } from "commander";
import { expect, it } from "vitest";
import { addProjectOptions, projectOptions } from "../../src/cli/project-options.js";

function parsed(...argv: string[]): ReturnType<typeof projectOptions> {
  const command = addProjectOptions(new Command("reproduce"));
  command.parse(argv, { from: "user" });
  return projectOptions(command.opts());
}

it("--mask-parameters adds patterns, --no-mask-parameters masks none, and neither leaves what sounds like a secret masked", () => {
  expect(parsed("--mask-parameters", "^label$", "--mask-parameters", "name").maskParameters).toEqual([
    "^label$",
    "name",
  ]);
  expect(parsed("--no-mask-parameters").maskParameters).toBe(false);
  expect(parsed("-p", "count", "3")).toEqual({ profile: "lab", parameters: { count: "3" } });
});
