import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { sanitize } from "./outputs";
import { escapeHtml } from "./page";

/** A figure or a table in a run's folder: one name, several files. */
interface Exhibit {
  name: string;
  /** File names below the folder, with the extension each is known by. */
  files: { extension: string; file: string }[];
  title: string;
  caption: string;
  /** As in the paper, for the order: figures without one come last. */
  number: string | undefined;
}

interface Description {
  title?: string;
  caption?: string;
  number?: string | number | null;
}

/** Every figure as a picture with its files; "" when there is none. */
export function figureGallery(outputs: string): string {
  return section("Figures", exhibits(join(outputs, "figures")), (figure) => {
    const shown = ["svg", "png"].find((wanted) => figure.files.some(({ extension }) => extension === wanted));
    const alt = escapeHtml(figure.title || figure.name);
    const source = escapeHtml(encodeURI(`figures/${figure.name}.${shown}`));
    const picture = shown ? `<img src="${source}" alt="${alt}" loading="lazy">` : "";
    return `<figure id="${escapeHtml(figure.name)}">${picture}${captionOf("Figure", figure)}${filesOf("figures", figure)}</figure>`;
  });
}

/** Every table as rows with its files; "" when there is none. */
export function tableGallery(outputs: string): string {
  return section("Tables", exhibits(join(outputs, "tables")), (table) => {
    const html = table.files.find(({ extension }) => extension === "html");
    // A rendered table carries its caption itself.
    const shown = html
      ? `<div class="output">${sanitize(readFileSync(join(outputs, "tables", html.file), "utf8"))}</div>`
      : captionOf("Table", table);
    return `<figure id="${escapeHtml(table.name)}">${shown}${filesOf("tables", table)}</figure>`;
  });
}

function section(title: string, all: readonly Exhibit[], render: (exhibit: Exhibit) => string): string {
  if (all.length === 0) return "";
  return `<h2 id="${title.toLowerCase()}">${title}</h2>\n${all.map(render).join("\n")}`;
}

/** Files of one name belong together: `shift.svg`, `shift.csv`, `shift.vl.json`; `shift.json` describes them. */
function exhibits(folder: string): Exhibit[] {
  if (!existsSync(folder)) return [];
  const byName = new Map<string, Exhibit["files"]>();
  for (const file of readdirSync(folder).sort()) {
    const parts = /^([^.].*?)\.((?:vl\.)?[a-z0-9]+)$/.exec(file);
    if (!parts?.[1] || !parts[2]) continue;
    byName.set(parts[1], [...(byName.get(parts[1]) ?? []), { extension: parts[2], file }]);
  }
  const numeric = new Intl.Collator("en", { numeric: true });
  return [...byName]
    .map(([name, files]): Exhibit => {
      const { title, caption, number } = description(join(folder, `${name}.json`));
      return { name, files, title: title ?? "", caption: caption ?? "", number: number?.toString() };
    })
    .sort(
      (a, b) =>
        Number(a.number === undefined) - Number(b.number === undefined) ||
        numeric.compare(a.number ?? "", b.number ?? "") ||
        numeric.compare(a.name, b.name),
    );
}

function description(path: string): Description {
  if (!existsSync(path)) return {};
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Description;
  } catch {
    return {}; // shown under its file name instead
  }
}

function captionOf(kind: string, { name, title, caption, number }: Exhibit): string {
  const lead = [number ? `${kind} ${number}.` : "", title || name].filter(Boolean).join(" ");
  return `<figcaption><strong>${escapeHtml(lead)}</strong> ${escapeHtml(caption)}</figcaption>`;
}

function filesOf(folder: string, { files }: Exhibit): string {
  const links = files.map(
    ({ extension, file }) =>
      `<a href="${escapeHtml(encodeURI(`${folder}/${file}`))}">${escapeHtml(label(extension))}</a>`,
  );
  return `<div class="files">${links.join(" ")}</div>`;
}

function label(extension: string): string {
  const names: Record<string, string> = { "vl.json": "Vega-Lite", md: "Markdown", tex: "LaTeX" };
  return names[extension] ?? extension.toUpperCase();
}
