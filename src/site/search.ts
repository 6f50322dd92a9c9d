import MiniSearch from "minisearch";
import { mask } from "../present/index.js";
import { plainMath } from "./parts/navigation.js";
import type { RenderedNotebook } from "./parts/cells.js";
import type { RunNotebook } from "./exhibits.js";
import type { Site } from "./site.js";

/** Something to find: a section of a notebook, a figure, a table, or a claim. Words are starred out. */
interface Document {
  id: string;
  /** where it stands, `NOTEBOOK.html#the-probe` */
  href: string;
  title: string;
  /** the page that it is on */
  page: string;
  text: string;
}

/** How the index is made, and how the page's script reads it: both ends must say the same. */
const SEARCH_OPTIONS = {
  fields: ["title", "page", "text"],
  storeFields: ["href", "title", "page"],
};

/**
 * The index as a script, `window.alignscopeSearch = …`: from disk a page may load a script, not fetch a file.
 *
 * @param pages the text of each notebook, as it was rendered
 */
export function searchScript(site: Site, pages: ReadonlyMap<RunNotebook, RenderedNotebook>): string {
  const index = new MiniSearch<Document>(SEARCH_OPTIONS);
  index.addAll([...sections(pages), ...exhibits(site), ...claims(site)]);
  const index_ = JSON.stringify({ options: SEARCH_OPTIONS, index: JSON.stringify(index) });
  return `window.alignscopeSearch = ${index_.replace(/</g, "\\u003c")};\n`;
}

function sections(pages: ReadonlyMap<RunNotebook, RenderedNotebook>): Document[] {
  return [...pages].flatMap(([{ file, section, title }, { passages }]) =>
    passages.map(({ heading, text }, index): Document => {
      const href = heading ? `${file}#${heading.id}` : file;
      return {
        id: `${file} ${index}`,
        href,
        title: starred(plainMath(heading?.text ?? title)),
        page: `${section} ${title}`,
        text: starred(plainMath(text)),
      };
    }),
  );
}

function exhibits({ run }: Site): Document[] {
  return run.exhibits.flatMap(({ kind, name, label, title, caption, place }): Document[] =>
    place
      ? [
          {
            id: `${kind} ${name}`,
            href: `${place.notebook.file}#${name}`,
            title: starred(`${label}. ${title}`),
            page: `${place.notebook.section} ${place.notebook.title}`,
            text: starred(caption),
          },
        ]
      : [],
  );
}

function claims({ run, catalogue }: Site): Document[] {
  return (run.claims?.claims ?? []).map(({ id, title, verdict, reason = "" }) => ({
    id,
    href: `claims.html#${id}`,
    title: `${id} ${title}`,
    page: "The paper’s claims",
    text: `${verdict} ${reason} ${catalogue.get(id)?.says ?? ""}`,
  }));
}

function starred(text: string): string {
  return mask(text, { show: false });
}
