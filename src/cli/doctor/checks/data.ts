import { messageOf } from "@alignscope/base/errors";
import { locateEntry, whereabouts } from "../../../data/locate.js";
import { registry } from "../../../data/registry.js";
import { size } from "@alignscope/base/size";
import { type Check, type Context, type Line, note, ok, problem, required } from "../check.js";

/** Larger files are not read here, unless their checksum is remembered: `alignscope data verify` reads everything. */
const READ_UP_TO = 64e6;

/** What the profile reads, then mirror and cache: what is there, and whether it is what it should be. */
export const dataCheck: Check = {
  name: "data",
  doing: "reading data",
  timeout: 15_000,
  vital: false,
  run: async (context) => {
    const verdicts = await verifyPresent();
    return [await needed(context, verdicts), mirror(context, verdicts), cache(context, verdicts)];
  },
};

interface Verdict {
  name: string;
  where: string;
  bytes: number;
  /** undefined: not read. */
  wrong: string | null | undefined;
}

async function verifyPresent(): Promise<Verdict[]> {
  const deadline = Date.now() + 10_000;
  const verdicts: Verdict[] = [];
  for (const entry of registry()) {
    const { name, bytes } = entry;
    const where = whereabouts(entry);
    if (where !== "embedded" && where !== "mirror" && where !== "cache") continue;
    let wrong: Verdict["wrong"];
    if (bytes <= READ_UP_TO && Date.now() < deadline) {
      wrong = await locateEntry(entry, { download: false }).then(
        () => null,
        (error: unknown) => messageOf(error),
      );
    }
    verdicts.push({ name, where, bytes, wrong });
  }
  return verdicts;
}

async function needed({ forecast, profile, offline }: Context, verdicts: readonly Verdict[]): Promise<Line> {
  const known = await forecast();
  if (!known) return note("data", `what ${profile} needs is not known`, "see the line about the profile");
  const all = required(known);
  const broken = verdicts.find(({ name, wrong }) => wrong && all.some((one) => one.name === name));
  if (broken?.wrong)
    return problem("data", broken.wrong, `\`npx alignscope data verify ${broken.name}\` looks again`);
  const absent = all.filter(({ here, where }) => !here && where !== "service");
  const details = {
    needed: all.length,
    absent: absent.map(({ name }) => name).join(","),
    bytes: known.missing.bytes,
  };
  if (absent.length === 0) {
    return ok("data", `all ${all.length} data sets and models of ${profile} are here`, details);
  }
  const nowhere = absent.filter(({ where }) => where === "nowhere" || where === "unknown");
  if (nowhere.length > 0 || offline) {
    const names = (nowhere.length > 0 ? nowhere : absent).map(({ name }) => name).join(", ");
    const found =
      nowhere.length > 0 ? `${names}: not here, and no public download is known` : `${names}: not here`;
    const remedy =
      "put the files into a folder and name it with ALIGNSCOPE_MIRROR (`npx alignscope data list`)";
    return problem("data", found, remedy, details);
  }
  return note(
    "data",
    `${absent.map(({ name }) => name).join(", ")}: to be downloaded, ${size(known.missing.bytes)}`,
    `reproduce does, or beforehand \`npx alignscope data fetch ${absent.map(({ name }) => name).join(" ")}\``,
    details,
  );
}

function mirror({ mirror: folder, host }: Context, verdicts: readonly Verdict[]): Line {
  if (folder === undefined) return ok("mirror", "none named (ALIGNSCOPE_MIRROR)");
  if (!host.exists(folder)) {
    const remedy = "make ALIGNSCOPE_MIRROR name a folder that is there, or unset it";
    return problem("mirror", `there is no ${folder}`, remedy, { folder }, false);
  }
  return contents("mirror", folder, verdicts, "replace it in the mirror, or unset ALIGNSCOPE_MIRROR");
}

function cache({ cache: folder, host }: Context, verdicts: readonly Verdict[]): Line {
  if (!host.exists(folder)) return ok("cache", `${folder}: empty`, { folder, entries: 0 });
  return contents(
    "cache",
    folder,
    verdicts,
    "delete it and fetch it again with `npx alignscope data fetch NAME`",
  );
}

function contents(
  what: "mirror" | "cache",
  folder: string,
  verdicts: readonly Verdict[],
  remedy: string,
): Line {
  const here = verdicts.filter(({ where }) => where === what);
  const verified = here.filter(({ wrong }) => wrong === null).length;
  const broken = here.filter(({ wrong }) => typeof wrong === "string");
  const bytes = here.reduce((sum, one) => sum + one.bytes, 0);
  const details = { folder, entries: here.length, verified, broken: broken.length, bytes };
  const [first] = broken;
  if (first?.wrong) return problem(what, first.wrong.split("; ")[0] ?? "", remedy, details, false);
  const unread = here.length - verified;
  const found = `${folder}: ${here.length} data sets and models, ${size(bytes)}, ${verified} verified`;
  if (what === "mirror" && here.length === 0) {
    return note(
      what,
      `${folder} holds nothing that is known by name`,
      "see `npx alignscope data list`",
      details,
    );
  }
  return unread > 0
    ? ok(what, `${found}; the larger ones \`npx alignscope data verify\` reads`, details)
    : ok(what, found, details);
}
