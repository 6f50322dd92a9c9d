// Theme, code and keys; and everything is set up.

function setUpTheme(): void {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = (): boolean => (root.dataset["theme"] ?? (system.matches ? "dark" : "light")) === "dark";
  const button = element("theme");
  const name = (): void => {
    button.textContent = isDark() ? "Light" : "Dark";
    button.setAttribute("aria-label", isDark() ? "Light theme" : "Dark theme");
  };
  button.addEventListener("click", () => {
    root.dataset["theme"] = isDark() ? "light" : "dark";
    keep(() => localStorage, "alignscope-theme", root.dataset["theme"]);
    name();
  });
  system.addEventListener("change", name);
  name();
}

function setUpCode(): void {
  const cells = [...document.querySelectorAll<HTMLDetailsElement>("details.code")];
  const button = element("all-code");
  button.hidden = cells.length === 0;
  button.addEventListener("click", () => {
    const open = button.getAttribute("aria-pressed") !== "true";
    for (const cell of cells) cell.open = open;
    button.setAttribute("aria-pressed", String(open));
    button.textContent = open ? "Fold code" : "Code";
  });
}

/** `/` searches; `n` and `p` turn to the next and the previous notebook. */
function setUpKeys(): void {
  document.addEventListener("keydown", (event) => {
    const { key, target, altKey, ctrlKey, metaKey } = event;
    if (altKey || ctrlKey || metaKey || (target as HTMLElement).matches("input, textarea, select, dialog *"))
      return;
    if (key === "/") {
      event.preventDefault();
      element("search").focus();
    }
    const turned = key === "n" ? "next" : key === "p" ? "prev" : undefined;
    if (turned) document.querySelector<HTMLAnchorElement>(`a[rel="${turned}"]`)?.click();
  });
}

/** What an address leads to is seen, also where it is folded away: the cell that made a figure opens. */
function openTarget(): void {
  const id = decodeURIComponent(location.hash.slice(1));
  const target = id ? document.getElementById(id) : null;
  if (!target) return;
  if (id.startsWith("cell-")) {
    for (const code of target.querySelectorAll<HTMLDetailsElement>(":scope > details.code")) code.open = true;
  }
  target.closest("details")?.setAttribute("open", "");
  target.scrollIntoView();
}

for (const tools of document.querySelectorAll<HTMLElement>(".tools")) tools.hidden = false;
setUpTheme();
setUpCode();
setUpWords();
setUpCharts();
setUpSearch();
setUpKeys();
addEventListener("hashchange", openTarget);
openTarget();
