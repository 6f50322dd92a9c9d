import { homedir } from "node:os";
import { delimiter, join } from "node:path";

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
