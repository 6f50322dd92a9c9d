import { posix } from "node:path";

/** What package-lock.json (version 3) says of one installed package. */
export interface LockedPackage {
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  peerDependenciesMeta?: Record<string, { optional?: boolean }>;
  /** A package of the project itself, to whose folder `resolved` a link leads. */
  link?: boolean;
  resolved?: string;
  os?: string[];
  cpu?: string[];
  libc?: string[];
}

/** The packages of package-lock.json by their place, e.g. `node_modules/vega/node_modules/d3`; the project itself by "". */
export type Lockfile = Readonly<Record<string, LockedPackage>>;

/** Where the packages are to run. */
export interface Target {
  os: string;
  cpu: string;
  libc: string;
}

/**
 * The places of all packages that the project needs when it runs on that machine: what its dependencies name, what those
 * name, and so on, each found as Node finds it. The project's own packages are followed and not named. Development
 * dependencies are not followed, nor what is made for another machine.
 *
 * @param replaced packages of which something else is shipped, with the packages that this needs instead
 */
export function productionClosure(
  packages: Lockfile,
  target: Target,
  replaced: Readonly<Record<string, readonly string[]>> = {},
): string[] {
  const found = new Set<string>();
  const visit = (place: string): void => {
    const entry = packages[place] ?? {};
    for (const name of replaced[nameAt(place)] ?? namesNeededBy(entry)) {
      const dependency = resolve(packages, place, name);
      // An optional dependency may be missing from the lockfile, and so may a peer.
      if (dependency === undefined || found.has(dependency)) continue;
      if (!runsOn(packages[dependency] ?? {}, target)) continue;
      found.add(dependency);
      visit(linkTarget(packages, dependency) ?? dependency);
    }
  };
  visit("");
  return [...found].filter((place) => linkTarget(packages, place) === undefined).sort();
}

/** Where the link at that place leads; undefined where the package itself lies. */
export function linkTarget(packages: Lockfile, place: string): string | undefined {
  const { link = false, resolved } = packages[place] ?? {};
  return link ? resolved : undefined;
}

function namesNeededBy(entry: LockedPackage): string[] {
  const peers = Object.keys(entry.peerDependencies ?? {}).filter(
    (name) => !entry.peerDependenciesMeta?.[name]?.optional,
  );
  return [
    ...Object.keys(entry.dependencies ?? {}),
    ...Object.keys(entry.optionalDependencies ?? {}),
    ...peers,
  ];
}

/** As Node looks for a package: beside the one that asks, then outwards. */
function resolve(packages: Lockfile, from: string, name: string): string | undefined {
  for (let folder = from; ; folder = outer(folder)) {
    const place = posix.join(folder, "node_modules", name);
    if (place in packages) return place;
    if (folder === "") return undefined;
  }
}

function outer(place: string): string {
  return place.slice(0, Math.max(0, place.lastIndexOf("node_modules/") - 1));
}

/** `a/node_modules/@x/y` is the package `@x/y`. */
function nameAt(place: string): string {
  return place.slice(place.lastIndexOf("node_modules/") + "node_modules/".length);
}

function runsOn({ os, cpu, libc }: LockedPackage, target: Target): boolean {
  const allows = (list: string[] | undefined, value: string): boolean => {
    if (!list || list.length === 0) return true;
    if (list.includes(`!${value}`)) return false;
    return list.includes(value) || list.every((word) => word.startsWith("!"));
  };
  return allows(os, target.os) && allows(cpu, target.cpu) && allows(libc, target.libc);
}
