import { homedir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { UserError } from "@alignscope/base/errors";

type Environment = Readonly<Record<string, string | undefined>>;

/** The user's Jupyter data folder. Source: jupyter_core/paths.py. */
export function userDataFolder(env: Environment = process.env, platform = process.platform): string {
  const named = env["JUPYTER_DATA_DIR"];
  if (named) return named;
  if (platform === "darwin") return join(homedir(), "Library", "Jupyter");
  if (platform === "win32") return join(env["APPDATA"] ?? join(homedir(), "AppData", "Roaming"), "jupyter");
  return join(env["XDG_DATA_HOME"] || join(homedir(), ".local", "share"), "jupyter");
}

/** Where connection files live. */
export function runtimeFolder(env: Environment = process.env, platform = process.platform): string {
  return env["JUPYTER_RUNTIME_DIR"] || join(userDataFolder(env, platform), "runtime");
}

/**
 * Folders that may hold a `kernels/` folder, the first match wins: JUPYTER_PATH, the user's, the Python environments
 * that are active, the machine's. JUPYTER_PREFER_ENV_PATH puts the active environments before the user's.
 */
export function dataFolders(env: Environment = process.env, platform = process.platform): string[] {
  const named = (env["JUPYTER_PATH"] ?? "").split(delimiter).filter(Boolean);
  const user = userDataFolder(env, platform);
  const environments = [env["VIRTUAL_ENV"], env["CONDA_PREFIX"]]
    .filter((prefix): prefix is string => !!prefix)
    .map((prefix) => join(prefix, "share", "jupyter"));
  const machine =
    platform === "win32"
      ? [join(env["PROGRAMDATA"] ?? "C:\\ProgramData", "jupyter")]
      : ["/usr/local/share/jupyter", "/usr/share/jupyter"];
  const preferEnvironment = /^(1|true|yes|on|y)$/i.test(env["JUPYTER_PREFER_ENV_PATH"] ?? "");
  const own = preferEnvironment ? [...environments, user] : [user, ...environments];
  return [...new Set([...named, ...own, ...machine])];
}

/** Where a kernelspec is installed: for the user, for the active Python environment, or below a prefix. */
export type KernelPlace = "user" | "sys-prefix" | { readonly prefix: string };

/**
 * The `kernels/` folder of a place, whether it exists or not.
 *
 * @throws UserError when there is no active Python environment to install into
 */
export function kernelsFolderOf(place: KernelPlace, env: Environment = process.env): string {
  if (place === "user") return resolve(userDataFolder(env), "kernels");
  if (typeof place === "object") return resolve(place.prefix, "share", "jupyter", "kernels");
  const active = env["VIRTUAL_ENV"] || env["CONDA_PREFIX"];
  if (active) return resolve(active, "share", "jupyter", "kernels");
  throw new UserError(
    "no Python environment is active (neither VIRTUAL_ENV nor CONDA_PREFIX is set): activate one, or use --user or --prefix PATH",
  );
}

/** Whether Jupyter, started in this environment, looks for kernelspecs in that folder. */
export function isSearched(kernelsFolder: string, env: Environment = process.env): boolean {
  return dataFolders(env).some((folder) => resolve(folder, "kernels") === resolve(kernelsFolder));
}
