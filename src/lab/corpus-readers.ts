import { createReadStream } from "node:fs";
import { createGunzip } from "node:zlib";
import { messageOf, parseJson, UserError } from "@alignscope/base/errors";
import { readText } from "../data/readers.js";

/**
 * The records of a gzip-compressed JSON Lines file, read as a stream: only the line at hand is in memory.
 *
 * @example for await (const { text } of streamJsonlGz<{ text: string }>(await locate("corpus-wikipedia"))) { … }
 * @throws UserError when the file cannot be read or is not gzip, or with the line (from 1) that is not JSON
 */
export async function* streamJsonlGz<T>(path: string): AsyncGenerator<T> {
  const file = createReadStream(path);
  const unpacked = createGunzip();
  file.on("error", (error) => unpacked.destroy(error));
  let line = 0;
  let rest = "";
  const record = (text: string): T => parseJson(text, (why) => `${path}:${line}: not JSON (${why})`);
  try {
    for await (const chunk of file.pipe(unpacked).setEncoding("utf8")) {
      const lines = (rest + (chunk as string)).split("\n");
      rest = lines.pop() as string;
      for (const text of lines) {
        line++;
        if (text.trim() !== "") yield record(text);
      }
    }
    line++;
    if (rest.trim() !== "") yield record(rest);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`cannot read ${path} as gzip: ${messageOf(error)}`);
  }
}

/** An article of WikiText: its title and the lines below it, headings of sections included. */
export interface Article {
  readonly title: string;
  readonly text: string;
}

/**
 * The articles of a WikiText file (Merity et al. 2016). An article begins with ` = Title = ` between two blank lines;
 * sections have two or more equals signs, and a formula that looks like a title stands inside a paragraph.
 */
export function readWikitext(path: string): Article[] {
  const lines = readText(path).split("\n");
  const blank = (line: string | undefined) => line === undefined || line.trim() === "";
  const articles: { title: string; lines: string[] }[] = [];
  for (const [index, line] of lines.entries()) {
    const title = /^ = (?!=)(.+?) = $/.exec(line)?.[1];
    if (title !== undefined && !title.endsWith("=") && blank(lines[index - 1]) && blank(lines[index + 1])) {
      articles.push({ title, lines: [] });
    } else if (articles.length > 0) {
      articles.at(-1)?.lines.push(line);
    } else if (!blank(line)) {
      throw new UserError(`${path}:${index + 1}: expected the title of an article, " = Title = "`);
    }
  }
  return articles.map((article) => ({ title: article.title, text: article.lines.join("\n").trim() }));
}
