import { InvalidArgumentError, Option, type Command } from "commander";
import { resolve } from "node:path";
import { UserError } from "@alignscope/base/errors";
import { isKernelName, isSearched, kernelsFolderOf, type KernelPlace } from "jupyter-wire";
import { columns } from "@alignscope/base/columns";
import { installKernelspec, uninstallKernelspec } from "./install-kernelspec.js";
import { describeKernelspecs, type ListedKernelspec } from "./kernelspec-listing.js";
import type { Owner } from "./kernelspec-owner.js";

interface PlaceOptions {
  user?: boolean;
  prefix?: string;
  sysPrefix?: boolean;
}

/** The kernel that the commands are about, and who owns it. */
export interface OwnKernel {
  owner: Owner;
  /** The folder of its kernelspec in the owner's `kernels/`, and its name unless another is asked for. */
  kernel: string;
  /** What Jupyter shows unless told otherwise. */
  displayName: string;
}

interface UninstallFlags extends PlaceOptions {
  name?: string;
}

interface InstallFlags extends PlaceOptions {
  name: string;
  displayName?: string;
  env?: Record<string, string>;
  force?: boolean;
}

function install(own: OwnKernel, flags: InstallFlags): void {
  const { name, displayName, env = {}, force = false, ...place } = flags;
  const folder = kernelsFolderOf(placeOf(place));
  const installed = installKernelspec(own.owner, own.kernel, {
    folder,
    name,
    env,
    force,
    ...(displayName === undefined ? {} : { displayName }),
  });
  console.log(
    `${installed.replaced ? "replaced" : "installed"} the kernel ${installed.name} in ${installed.folder}: ` +
      `start \`jupyter lab\`, or open a notebook in VS Code, and choose "${installed.displayName}"`,
  );
  if (!isSearched(folder)) {
    console.error(
      `${own.owner.name}: warning: Jupyter as it starts here does not look in ${folder}: ` +
        `only one that belongs to that prefix does, or one with JUPYTER_PATH=${resolve(folder, "..")}`,
    );
  }
}

function uninstall(own: OwnKernel, given: string | undefined, flags: UninstallFlags): void {
  const name = given ?? flags.name ?? own.kernel;
  const folder = kernelsFolderOf(placeOf(flags));
  const removed = uninstallKernelspec(own.owner, folder, name);
  if (removed === undefined) {
    const found = describeKernelspecs(own.owner)
      .filter(({ origin }) => origin !== "in place")
      .map((spec) => `${spec.name} in ${resolve(spec.folder, "..")}`);
    throw new UserError(
      `no kernel ${name} in ${folder} (Jupyter finds ${found.length > 0 ? found.join(", ") : "none at all"})`,
    );
  }
  console.log(`removed the kernel ${name.toLowerCase()}: ${removed}`);
}

function list({ owner }: OwnKernel, { json }: { json?: boolean }): void {
  const specs = describeKernelspecs(owner);
  if (json) {
    console.log(JSON.stringify(specs, null, 2));
    return;
  }
  console.log(
    columns([
      ["name", "display name", "language", "interrupt", "runs", "whose", "folder"],
      ...specs.map((spec) => [
        spec.name,
        spec.displayName,
        spec.language,
        spec.interruptMode,
        spec.problem === null ? "yes" : "no",
        whose(owner, spec),
        spec.folder + remarks(spec),
      ]),
    ]),
  );
}

function whose({ name, folder }: Owner, { origin, project }: ListedKernelspec): string {
  if (origin === "in place") return `${project === folder ? "this project's" : "a package's"}, in place`;
  if (origin === "installed") return "this project's, installed";
  return project === null ? "" : `${name} in ${project}`;
}

function remarks({ problem, hiddenBy }: ListedKernelspec): string {
  const said = [problem, hiddenBy === null ? null : `hidden by ${hiddenBy}`].filter((text) => text !== null);
  return said.length > 0 ? ` (${said.join("; ")})` : "";
}

function placeOf({ prefix, sysPrefix }: PlaceOptions): KernelPlace {
  if (prefix !== undefined) return { prefix };
  return sysPrefix ? "sys-prefix" : "user";
}

/** One more `KEY=VALUE`; the last of a name counts. */
function variable(text: string, before: Record<string, string> = {}): Record<string, string> {
  const [, name, value] = /^([a-z_]\w*)=(.*)$/is.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError("expected KEY=VALUE");
  return { ...before, [name]: value };
}

function kernelName(text: string): string {
  if (!isKernelName(text)) throw new InvalidArgumentError('expected letters, digits, ".", "_" and "-"');
  return text;
}

function filled(text: string): string {
  if (text.trim() === "") throw new InvalidArgumentError("expected some text");
  return text;
}

/** The options that say into which `kernels/` folder, at most one of them. */
function addPlaces(command: Command): Command {
  return command
    .addOption(
      new Option("--user", "the user's Jupyter folder, JUPYTER_DATA_DIR if set (the default)").conflicts([
        "prefix",
        "sysPrefix",
      ]),
    )
    .addOption(
      new Option("--prefix <path>", "PATH/share/jupyter/kernels").argParser(filled).conflicts("sysPrefix"),
    )
    .option("--sys-prefix", "the Python environment that is active (VIRTUAL_ENV or CONDA_PREFIX)");
}

/** Adds `install`, `uninstall` and `list` to a program, or to a command of one, for a kernel of its own. */
export function addKernelCommands(group: Command, own: OwnKernel): void {
  addPlaces(
    group
      .command("install")
      .description(
        "write a kernelspec, so that Jupyter offers this kernel wherever it is started; needs no Python. " +
          "papermill-ts needs nothing installed",
      ),
  )
    .option("--name <name>", "of the kernelspec", kernelName, own.kernel)
    .option("--display-name <text>", `what Jupyter shows (default: "${own.displayName}")`, filled)
    .option(
      "--env <KEY=VALUE...>",
      "set variables for the kernel; ${NAME} stands for a variable's value",
      variable,
    )
    .option("-f, --force", "replace a kernelspec of that name that is not this project's")
    .action((flags: InstallFlags) => install(own, flags));
  addPlaces(
    group
      .command("uninstall [name]")
      .alias("remove")
      .description(`remove a kernelspec that \`install\` wrote, and no other (default: ${own.kernel})`),
  )
    .option("--name <name>", "the same as the argument", kernelName)
    .action((name: string | undefined, flags: UninstallFlags) => uninstall(own, name, flags));
  group
    .command("list")
    .description("every kernelspec: whose it is, whether what it starts is there, and where it lies")
    .option("--json", "print JSON")
    .action((flags: { json?: boolean }) => list(own, flags));
}
