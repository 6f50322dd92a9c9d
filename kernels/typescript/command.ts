import { Command, CommanderError } from "commander";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "@alignscope/base/errors";
import { addKernelCommands, THIS_PACKAGE } from "./install/index.js";

/** The program `ts-jupyter-kernel`; it only parses. */
function program(): Command {
  const { name, folder } = THIS_PACKAGE;
  const { version, description } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
    version: string;
    description: string;
  };
  const command = new Command(name)
    .description(description)
    .version(version)
    .helpOption("-h, --help", "show help")
    .helpCommand("help [command]", "show help for a command")
    .exitOverride()
    .configureOutput({
      outputError: (text, write) => write(text.replace(/^error: /, `${name}: `)),
    });
  addKernelCommands(command, { owner: THIS_PACKAGE, kernel: "typescript", displayName: "TypeScript" });
  return command;
}

/**
 * Runs one command line of `ts-jupyter-kernel`. Resolves with the exit code: 0, 1 when something went wrong, 2 for a wrong
 * command line.
 *
 * @param args without Node and the script
 */
export async function main(args: readonly string[]): Promise<number> {
  try {
    await program().parseAsync(args, { from: "user" });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (!(error instanceof UserError)) throw error;
    console.error(`${THIS_PACKAGE.name}: ${error.message}`);
    return 1;
  }
}
