import { readFileSync } from "node:fs";
import { join } from "node:path";
import { countsText, measuredText } from "../present/claims/index.js";
import { escapeMarkdown } from "../present/table-formats.js";
import { mask } from "../present/index.js";
import type { Exhibit } from "./exhibits.js";
import type { Run } from "./run.js";

/**
 * `README.md` of a run's folder: claims, notebooks, every figure and table, for those who browse the folder where it is
 * kept. Words are starred out.
 */
export function readmeOf({ folder, manifest, notebooks, claims, exhibits }: Run): string {
  const parts = [
    `# ${manifest.title}`,
    `Results of the profile \`${manifest.profile}\`, written by \`npm run reproduce\`; \`site/index.html\`, which that makes too, has the same with charts to point at, search, and the paper's numbers beside ours.`,
    claims
      ? `## What holds\n\nOf the paper's ${claims.claims.length} claims ${countsText(claims.claims)}.`
      : "",
    claims
      ? table(
          ["Claim", "", "Verdict", "What decides"],
          claims.claims.map((claim) => [claim.id, claim.title, claim.verdict, measuredText(claim)]),
        )
      : "",
    "## Notebooks",
    notebooks
      .map(
        ({ name, section, title }) =>
          `- [${section} ${escapeMarkdown(title)}](notebooks/${encodeURI(name)}.ipynb)`,
      )
      .join("\n"),
    ...notebooks.flatMap((notebook) => {
      const shown = exhibits.filter(({ place }) => place?.notebook === notebook);
      if (shown.length === 0) return [];
      return [
        `## ${notebook.section} ${escapeMarkdown(notebook.title)}`,
        ...shown.map((exhibit) => exhibitText(folder, exhibit)),
      ];
    }),
  ];
  return `${parts.filter(Boolean).join("\n\n")}\n`;
}

function exhibitText(folder: string, { kind, name, label, title, caption, files }: Exhibit): string {
  const words = (text: string): string => escapeMarkdown(mask(text, { show: false }));
  const markdown = files.get("md");
  // A rendered table brings its caption along; the number is the one it has in the pages.
  if (kind === "table" && markdown) {
    const text = readFileSync(join(folder, "tables", markdown), "utf8").trim();
    return text.replace(/^\*\*(?:Table [\w.]+\. )?/, () => `**${label}. `);
  }
  const picture = files.get("png") ?? files.get("svg");
  const lead = `**${label}. ${words(title.replace(/\.$/, ""))}.** ${words(caption)}`;
  return kind === "figure" && picture
    ? `${lead}\n\n![${label}](figures/${encodeURI(picture)})`
    : `${lead} (${name})`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(escapeMarkdown).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")).replace(/\\/g, ""), ...rows.map(line)].join("\n");
}
