// Search over all pages: the index is a script of its own, loaded when somebody first looks for something.

interface Found {
  id: string;
  href: string;
  title: string;
  page: string;
}

interface SearchIndex {
  search(query: string, options: object): Found[];
}

declare const MiniSearch: { loadJSON(index: string, options: object): SearchIndex };

interface Window {
  alignscopeSearch?: { options: object; index: string };
}

/** As many as fit on a screen. */
const MOST_FOUND = 12;

let searchIndex: Promise<SearchIndex> | undefined;

async function openSearch(): Promise<SearchIndex> {
  await Promise.all([loadScript("minisearch.js"), loadScript("search-index.js")]);
  const { index, options } = window.alignscopeSearch!;
  return MiniSearch.loadJSON(index, options);
}

function setUpSearch(): void {
  const field = element<HTMLInputElement>("search");
  const list = element("search-results");
  let chosen = -1;

  const show = (visible: boolean): void => {
    list.hidden = !visible;
    field.setAttribute("aria-expanded", String(visible));
    if (!visible) choose(-1);
  };
  const choose = (position: number): void => {
    chosen = position;
    [...list.children].forEach((item, index) =>
      item.setAttribute("aria-selected", String(index === position)),
    );
    const item = list.children[position];
    if (item) {
      field.setAttribute("aria-activedescendant", item.id);
      item.scrollIntoView({ block: "nearest" });
    } else field.removeAttribute("aria-activedescendant");
  };
  const fill = async (): Promise<void> => {
    const query = field.value.trim();
    if (query === "") return show(false);
    const index = await (searchIndex ??= openSearch());
    if (field.value.trim() !== query) return; // typed on meanwhile
    const found = index.search(query, { prefix: true, fuzzy: 0.15, boost: { title: 3 }, combineWith: "AND" });
    list.replaceChildren(...found.slice(0, MOST_FOUND).map(resultItem));
    if (found.length === 0) list.append(emptyItem(query));
    choose(-1);
    show(true);
  };

  field.addEventListener("input", () => void fill());
  field.addEventListener("focus", () => void (searchIndex ??= openSearch()));
  field.addEventListener("keydown", (event) => {
    const last = list.querySelectorAll("a").length - 1;
    if (event.key === "Escape") show(false);
    else if (event.key === "ArrowDown" && last >= 0) choose(Math.min(last, chosen + 1));
    else if (event.key === "ArrowUp" && last >= 0) choose(Math.max(0, chosen - 1));
    else if (event.key === "Enter") list.querySelectorAll("a")[Math.max(0, chosen)]?.click();
    else return;
    if (event.key !== "Escape") event.preventDefault();
  });
  list.addEventListener("click", () => show(false));
  document.addEventListener("pointerdown", ({ target }) => {
    if (target !== field && !list.contains(target as Node)) show(false);
  });
}

function resultItem({ href, title, page }: Found, position: number): HTMLElement {
  const item = document.createElement("li");
  item.id = `search-result-${position}`;
  item.setAttribute("role", "option");
  item.setAttribute("aria-selected", "false");
  const link = document.createElement("a");
  link.href = href;
  link.tabIndex = -1;
  link.append(title, " ", Object.assign(document.createElement("small"), { textContent: page }));
  item.append(link);
  return item;
}

function emptyItem(query: string): HTMLElement {
  const item = document.createElement("li");
  item.setAttribute("role", "option");
  item.setAttribute("aria-selected", "false");
  item.className = "empty";
  item.textContent = `Nothing found for “${query}”.`;
  return item;
}
