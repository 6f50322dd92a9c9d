// A chart is a picture until it comes near the view; then Vega draws it again, so that it can be pointed at.

interface ChartData {
  spec: Record<string, unknown>;
  words: [stars: string, encoded: string][];
}

declare const vegaEmbed: (place: HTMLElement, spec: object, options: object) => Promise<{ finalize(): void }>;

const drawnCharts = new Map<HTMLElement, { finalize(): void }>();

function chartSpec(place: HTMLElement): object {
  const island = element(place.dataset["chart"] ?? "");
  const { spec, words } = JSON.parse(island.textContent ?? "") as ChartData;
  return wordsShown ? (withWords(spec, new Map(words)) as object) : spec;
}

/** Every text of a specification that stands for one with words in it, replaced. */
function withWords(part: unknown, words: ReadonlyMap<string, string>): unknown {
  if (typeof part === "string") {
    const encoded = words.get(part);
    return encoded === undefined ? part : decodeWord(encoded);
  }
  if (Array.isArray(part)) return part.map((each) => withWords(each, words));
  if (typeof part !== "object" || part === null) return part;
  return Object.fromEntries(Object.entries(part).map(([key, value]) => [key, withWords(value, words)]));
}

async function drawChart(place: HTMLElement): Promise<void> {
  await loadScript("vega.min.js");
  await loadScript("vega-lite.min.js");
  await loadScript("vega-embed.min.js");
  const fresh = document.createElement("div");
  const view = await vegaEmbed(fresh, chartSpec(place), {
    mode: "vega-lite",
    renderer: "svg",
    actions: false,
    // Expressions are interpreted: the page's policy allows no code made from text.
    ast: true,
    tooltip: { theme: "custom" },
    config: { mark: { tooltip: { content: "encoding" } }, aria: false },
  });
  nameChart(fresh, place.getAttribute("aria-label") ?? "");
  drawnCharts.get(place)?.finalize();
  drawnCharts.set(place, view);
  place.replaceChildren(fresh);
  place.dataset["drawn"] = "true";
}

/** To those who listen a chart is one picture with a name, not the hundred marks that Vega announces. */
function nameChart(place: HTMLElement, name: string): void {
  for (const mark of place.querySelectorAll("svg [role], svg [aria-roledescription]")) {
    mark.removeAttribute("role");
    mark.removeAttribute("aria-roledescription");
  }
  const svg = place.querySelector("svg");
  svg?.setAttribute("role", "img");
  svg?.setAttribute("aria-label", name);
}

function tryChart(place: HTMLElement): void {
  // The picture that is there says the same; a chart that cannot be drawn leaves it.
  drawChart(place).catch((error: unknown) => console.warn(`${place.dataset["chart"]}: ${String(error)}`));
}

function redrawCharts(): void {
  for (const place of drawnCharts.keys()) tryChart(place);
}

function setUpCharts(): void {
  const watcher = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        watcher.unobserve(target);
        tryChart(target as HTMLElement);
      }
    },
    { rootMargin: "300px" },
  );
  for (const place of document.querySelectorAll<HTMLElement>("[data-chart]")) watcher.observe(place);
}
