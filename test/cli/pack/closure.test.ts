import fc from "fast-check";
import { expect, test } from "vitest";
import { productionClosure, type LockedPackage, type Lockfile } from "../../../src/cli/pack/closure.js";

const TARGET = { os: "linux", cpu: "x64", libc: "glibc" };

function lock(packages: Record<string, LockedPackage>): Lockfile {
  return packages;
}

test("follows what packages need, each found beside or outside of the one that asks", () => {
  const packages = lock({
    "": { dependencies: { a: "1", b: "1" } },
    "node_modules/a": { dependencies: { c: "2" } },
    "node_modules/a/node_modules/c": { dependencies: { d: "1" } },
    "node_modules/b": { dependencies: { c: "1" } },
    "node_modules/c": {},
    "node_modules/d": { dependencies: { a: "1" } },
    "node_modules/dev-only": { dependencies: { a: "1" } },
  });
  expect(productionClosure(packages, TARGET)).toEqual([
    "node_modules/a",
    "node_modules/a/node_modules/c",
    "node_modules/b",
    "node_modules/c",
    "node_modules/d",
  ]);
});

test("of packages for other machines, none is taken, nor what only they need", () => {
  const packages = lock({
    "": { dependencies: { native: "1" } },
    "node_modules/native": {
      optionalDependencies: { mac: "1", arm: "1", musl: "1", here: "1", notWindows: "1", missing: "1" },
      peerDependencies: { peer: "1", optionalPeer: "1" },
      peerDependenciesMeta: { optionalPeer: { optional: true } },
    },
    "node_modules/mac": { os: ["darwin"], dependencies: { onlyMac: "1" } },
    "node_modules/onlyMac": {},
    "node_modules/arm": { os: ["linux"], cpu: ["arm64"] },
    "node_modules/musl": { os: ["linux"], cpu: ["x64"], libc: ["musl"] },
    "node_modules/here": { os: ["linux"], cpu: ["x64"], libc: ["glibc"] },
    "node_modules/notWindows": { os: ["!win32"] },
    "node_modules/peer": {},
    "node_modules/optionalPeer": {},
  });
  expect(productionClosure(packages, TARGET)).toEqual([
    "node_modules/here",
    "node_modules/native",
    "node_modules/notWindows",
    "node_modules/peer",
  ]);
});

test("a package with a stand-in brings what the stand-in needs in place of its own needs", () => {
  const packages = lock({
    "": { dependencies: { "@x/large": "1" } },
    "node_modules/@x/large": { dependencies: { heavy: "1", common: "1" } },
    "node_modules/heavy": {},
    "node_modules/common": {},
  });
  expect(productionClosure(packages, TARGET, { "@x/large": ["common"] })).toEqual([
    "node_modules/@x/large",
    "node_modules/common",
  ]);
});

test("whatever the tree, all that is taken finds what it needs, and the order of the lockfile does not matter", () => {
  const names = ["a", "b", "c", "d", "e"];
  const needs = fc.dictionary(fc.constantFrom(...names), fc.constant("1"));
  const tree = fc.record(Object.fromEntries(names.map((name) => [name, needs])));
  fc.assert(
    fc.property(needs, tree, (root, of) => {
      const entries: [string, LockedPackage][] = [
        ["", { dependencies: root }],
        ...names.map((name): [string, LockedPackage] => [
          `node_modules/${name}`,
          { dependencies: of[name] ?? {} },
        ]),
      ];
      const taken = productionClosure(Object.fromEntries(entries), TARGET);
      const wanted = new Set([root, ...taken.map((place) => of[place.slice(13)] ?? {})].flatMap(Object.keys));
      expect(taken).toEqual([...wanted].map((name) => `node_modules/${name}`).sort());
      expect(productionClosure(Object.fromEntries(entries.reverse()), TARGET)).toEqual(taken);
    }),
  );
});
