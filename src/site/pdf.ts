import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { UserError } from "@alignscope/base/errors";

/** Programs that print pages, by the names they go by on Linux and macOS. */
const BROWSERS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
const MAC_BROWSERS = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

/** A page with a hundred pictures takes some seconds; a browser that hangs is ended after so many milliseconds. */
const PATIENCE = 120_000;

/** The path of an installed Chromium or Chrome: that of ALIGNSCOPE_BROWSER, else the first on the search path. */
export function findBrowser(environment: NodeJS.ProcessEnv = process.env): string | undefined {
  const named = environment["ALIGNSCOPE_BROWSER"];
  if (named) return existsSync(named) ? named : undefined;
  const folders = (environment["PATH"] ?? "").split(delimiter).filter(Boolean);
  const candidates = BROWSERS.flatMap((name) => folders.map((folder) => join(folder, name)));
  return [...candidates, ...MAC_BROWSERS].find((path) => existsSync(path));
}

/**
 * Prints a site's report, `report.html`, to a PDF with its outline.
 *
 * @param folder the site
 * @param target where the PDF goes; it is there whole or not at all
 * @throws UserError when there is no browser, or when it prints nothing
 */
export async function printReport(folder: string, target: string): Promise<void> {
  const report = join(folder, "report.html");
  if (!existsSync(report)) throw new UserError(`no report in ${folder}: run \`alignscope site\` first`);
  const browser = findBrowser();
  if (!browser) {
    throw new UserError(
      "no browser to print with (looked for Chromium and Chrome): install one, e.g. `apt install chromium`, or set ALIGNSCOPE_BROWSER to its path",
    );
  }
  const scratch = mkdtempSync(join(tmpdir(), "alignscope-pdf-"));
  const printed = `${resolve(target)}.${process.pid}.tmp`;
  try {
    const said = await run(browser, [
      "--headless",
      "--disable-gpu",
      // As root, in a container, Chromium's own sandbox cannot be set up. The page is ours and runs no script.
      ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
      `--user-data-dir=${scratch}`,
      "--no-pdf-header-footer",
      "--generate-pdf-document-outline",
      `--print-to-pdf=${printed}`,
      pathToFileURL(resolve(report)).href,
    ]);
    if (!existsSync(printed) || readFileSync(printed).subarray(0, 5).toString("latin1") !== "%PDF-") {
      throw new UserError(
        `${browser} printed no PDF: ${said.trim().split("\n").at(-1) ?? "it said nothing"}`,
      );
    }
    renameSync(printed, target);
  } finally {
    rmSync(printed, { force: true });
    rmSync(scratch, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

/** Runs a program to its end; what it said on stderr. */
function run(command: string, parameters: readonly string[]): Promise<string> {
  return new Promise((settle, refuse) => {
    const child = spawn(command, parameters, { stdio: ["ignore", "ignore", "pipe"], timeout: PATIENCE });
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString("utf8")));
    child.on("error", (error) => refuse(new UserError(`cannot start ${command}: ${error.message}`)));
    child.on("close", () => settle(said));
  });
}
