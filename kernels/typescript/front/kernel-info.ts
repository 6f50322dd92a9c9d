import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { JsonObject } from "jupyter-wire/messages";
import { THIS_PACKAGE } from "../install/kernelspec-owner.js";

/** The version of Jupyter's protocol that this kernel speaks. */
export const KERNEL_PROTOCOL = "5.4";

/** The content of kernel_info_reply. */
export function kernelInfo(): JsonObject {
  const { name, folder } = THIS_PACKAGE;
  const own = versionIn(join(folder, "package.json"));
  const typescript = versionIn(createRequire(import.meta.url).resolve("typescript/package.json"));
  return {
    status: "ok",
    protocol_version: KERNEL_PROTOCOL,
    implementation: name,
    implementation_version: own,
    language_info: {
      name: "typescript",
      version: typescript,
      mimetype: "text/typescript",
      file_extension: ".ts",
      pygments_lexer: "typescript",
      // CodeMirror 5 knows TypeScript as a variant of JavaScript.
      codemirror_mode: { mode: "typescript", name: "javascript", typescript: true },
      nbconvert_exporter: "script",
    },
    banner: `${name} ${own}: TypeScript ${typescript} on Node.js ${process.versions.node}`,
    help_links: [
      { text: "TypeScript", url: "https://www.typescriptlang.org/docs/" },
      { text: "Node.js", url: "https://nodejs.org/docs/latest-v20.x/api/" },
    ],
    supported_features: [],
  };
}

function versionIn(manifest: string): string {
  return (JSON.parse(readFileSync(manifest, "utf8")) as { version: string }).version;
}
