import { size } from "@alignscope/base/size";
import type { Forecast } from "../pipeline/index.js";
import { duration } from "../present/format.js";
import { columns } from "@alignscope/base/columns";

const ACTIONS = { run: "will run", maybe: "may run", skip: "skipped" } as const;

/** A forecast for people: what would run and why, with which values, what has to be fetched, and what it may take. */
export function describeForecast(forecast: Forecast): string {
  const { profile } = forecast;
  return [
    `Profile ${profile.name}: ${profile.description} ${capital(profile.machine)}.`,
    section("Notebooks", notebooks(forecast)),
    section("Parameters that do not come from a notebook", parameters(forecast)),
    section("Data sets and models", data(forecast)),
    section("Time and memory", timeAndMemory(forecast)),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

function section(title: string, lines: readonly string[]): string {
  return lines.length > 0 ? [`${title}:`, ...lines].join("\n") : "";
}

function notebooks(forecast: Forecast): string[] {
  return columns(
    forecast.notebooks.map(({ notebook, action, reasons, lastSeconds }) => [
      notebook,
      ACTIONS[action],
      lastSeconds === undefined ? "" : `took ${duration(lastSeconds * 1000)}`,
      reasons.join("; "),
    ]),
  ).split("\n");
}

function parameters(forecast: Forecast): string[] {
  const given = forecast.parameters.filter(({ source }) => source !== "notebook" && source !== "run");
  const own = forecast.parameters.filter(({ source }) => source === "notebook").length;
  const rows = given.map(({ name, value, source, notebooks }) => [
    name,
    JSON.stringify(value),
    source,
    notebooks.length === forecast.notebooks.length ? "every notebook" : notebooks.map(number).join(", "),
  ]);
  const rest = own > 0 ? [`${own} more have the notebooks' own defaults; --json lists them.`] : [];
  return [...(rows.length > 0 ? columns(rows).split("\n") : []), ...rest];
}

/** What a notebook is called in a list: its number. */
function number(notebook: string): string {
  return notebook.split("-")[0] ?? notebook;
}

const WHERE: Readonly<Record<Forecast["data"][number]["where"], string>> = {
  embedded: "in the repository",
  mirror: "in the mirror",
  cache: "in the cache",
  path: "here",
  download: "to be downloaded",
  nowhere: "to be put into a mirror: no public download of exactly these bytes is known",
  service: "a service",
  unknown: "UNKNOWN NAME",
};

function data({ data: needed, missing }: Forecast): string[] {
  if (needed.length === 0) return [];
  const rows = needed.map(({ name, where, bytes, exact, checked, here, origin, parameters }) => [
    name,
    parameters.join(", "),
    where === "service" ? "" : bytes === null ? "size unknown" : `${exact ? "" : "about "}${size(bytes)}`,
    where === "service" ? "" : checked ? "sha256 known" : "sha256 unknown",
    here ? WHERE[where] : `${WHERE[where]} (${origin})`,
  ]);
  const count = needed.filter(({ here, where }) => !here && where !== "service").length;
  const more = missing.unknown.length > 0 ? `, and ${missing.unknown.join(", ")} of unknown size` : "";
  const sum =
    count === 0
      ? "Everything is here."
      : `Not here: ${count} of ${needed.length}, ${size(missing.bytes)} in all${more}.`;
  return [...columns(rows).split("\n"), sum];
}

const FROM = { "last run": "as it last took here", profile: "by its weight in the series" } as const;

function timeAndMemory({ estimate, profile }: Forecast): string[] {
  if (!estimate) return [];
  const { notebooks: each, totalSeconds, unknown, time, memory } = estimate;
  const known = each.flatMap(({ notebook, seconds, from, counted }) =>
    seconds === null || from === null
      ? []
      : [[notebook, rough(seconds), FROM[from], counted ? "" : "up to date"]],
  );
  const unmeasured =
    known.length === 0
      ? `Nobody has measured how long the profile ${profile.name} takes; the next plan knows what has run here.`
      : `Nothing is known of ${unknown.join(", ")}.`;
  return [
    ...(known.length > 0 ? columns([...known, ["total to run", rough(totalSeconds)]]).split("\n") : []),
    ...(unknown.length > 0 ? [unmeasured] : []),
    ...(time ? [`A whole run has taken ${rough(time.seconds)}: ${time.source}.`] : []),
    ...(memory ? [`Tensors take up to ${size(memory.bytes)}: ${memory.source}.`] : []),
  ];
}

/** Seconds to two digits, in the unit that a person would say. @example rough(56171) // "16 h" */
function rough(seconds: number): string {
  for (const [unit, length] of [
    ["days", 86_400],
    ["h", 3_600],
    ["min", 60],
  ] as const) {
    const value = seconds / length;
    if (value >= 2) return `${value < 10 ? Number(value.toPrecision(2)) : Math.round(value)} ${unit}`;
  }
  return `${Math.max(1, Math.round(seconds))} s`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
