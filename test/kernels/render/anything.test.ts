import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { render } from "../../../kernels/typescript/executor/render/index.js";

const bound = 150_000;

/** Names that a renderer looks for, so that arbitrary objects are mistaken for what it shows as often as possible. */
const telling = fc.constantFrom<PropertyKey>(
  ...[
    "toMimeBundle",
    "mimeBundle",
    "dtype",
    "shape",
    "size",
    "data",
    "dispose",
    "isDisposed",
    "values",
    "toTensor",
  ],
  ...[
    "columns",
    "index",
    "dtypes",
    "$data",
    "$isSeries",
    "rows",
    "length",
    "$schema",
    "mark",
    "encoding",
    "layer",
  ],
  ...[
    "spec",
    "repeat",
    "title",
    "stack",
    "message",
    "name",
    "cause",
    "then",
    "constructor",
    "toString",
    "toJSON",
  ],
  Symbol.for("Jupyter.display"),
  Symbol.for("nodejs.util.inspect.custom"),
  Symbol.toStringTag,
);

const throwing = fc.constantFrom<() => unknown>(
  () => {
    throw new Error("no");
  },
  () => {
    throw Object.create(null);
  },
  () => {
    throw new Proxy({}, { get: fail, getPrototypeOf: fail, has: fail, ownKeys: fail });
  },
  () => {
    const failed = Promise.reject(new Error("later"));
    // Who looks at it without waiting for it is not to blame.
    failed.catch(() => undefined);
    return failed;
  },
  () => "text",
  () => ({ "text/html": "<b>", "text/plain": 3 }),
  () => [],
);

function fail(): never {
  throw new Error("do not ask");
}

const shape = fc.array(fc.constantFrom(0, 1, 2, 7, 1000, 1e9, -1, NaN), { maxLength: 4 });
const method = fc.oneof(
  throwing,
  fc.constant(() => Promise.resolve(new Float32Array(300))),
);
const cell = fc.oneof(fc.string(), fc.double(), fc.constant(null), fc.object({ maxDepth: 1 }));
const names = fc.array(cell, { maxLength: 30 });

/** Objects that are nearly what a renderer knows. */
const lookalikes = fc
  .oneof(
    fc.record({
      dtype: fc.constantFrom("float32", "bool", "string", "complex64", "x"),
      shape,
      size: fc.nat(),
      data: method,
      dispose: method,
      isDisposed: fc.constant(false),
      trainable: fc.boolean(),
      name: cell,
    }),
    fc.record({ dtype: fc.constant("float32"), shape, values: names, toTensor: method }),
    fc.record({
      $data: fc.array(fc.oneof(names, cell)),
      columns: names,
      index: names,
      dtypes: names,
      $isSeries: fc.boolean(),
    }),
    fc.record({
      columns: fc.array(fc.string()),
      length: fc.nat(),
      rows: fc.oneof(
        method,
        names.map((rows) => () => rows),
      ),
    }),
    fc.record({
      mark: fc.constantFrom("bar", "text"),
      data: fc.oneof(fc.object(), fc.record({ values: names })),
      encoding: fc.object(),
      title: cell,
    }),
    fc.record({
      $schema: fc.constant("https://vega.github.io/schema/vega/v5.json"),
      data: names,
      marks: names,
    }),
  )
  .map(boxed);

/** A value that must not be looked at on its way into the test. */
function boxed(value: unknown): { open: () => unknown } {
  return { open: () => value };
}

const simple = fc.anything({
  withBigInt: true,
  withDate: true,
  withMap: true,
  withNullPrototype: true,
  withObjectString: true,
  withSet: true,
  withSparseArray: true,
  withTypedArray: true,
  maxDepth: 3,
});

interface Property {
  key: PropertyKey;
  getter: boolean;
  body: unknown;
}

const property: fc.Arbitrary<Property> = fc.record({
  key: fc.oneof(telling, fc.string()),
  getter: fc.boolean(),
  body: fc.oneof(
    simple,
    throwing,
    fc.constantFrom<unknown>(
      "float32",
      true,
      [2, 2],
      ["a"],
      [[1]],
      "bar",
      "https://vega.github.io/schema/vega-lite/v5.json",
    ),
  ),
});

/** Objects with getters and methods, on various prototypes. */
const trapped = fc
  .tuple(
    fc.constantFrom<() => object>(
      () => ({}),
      () => [],
      () => Object.create(null) as object,
      () => new Error("an error"),
      () => new Uint8Array(3),
      () => () => 1,
      () =>
        class {
          own = 1;
        },
      () => new Map(),
      () => Object.create(new Proxy({}, { get: fail })) as object,
    ),
    fc.array(property, { maxLength: 9 }),
  )
  .map(([make, properties]) => {
    const target = make();
    for (const { key, getter, body } of properties) {
      const get = typeof body === "function" ? (body as () => unknown) : () => body;
      try {
        Object.defineProperty(target, key, {
          enumerable: true,
          configurable: true,
          ...(getter ? { get } : { value: body }),
        });
      } catch {
        // Arrays refuse what is no length, typed arrays what is no number.
      }
    }
    return boxed(target);
  });

const proxied = fc
  .tuple(trapped, fc.constantFrom("get", "all", "nothing", "same", "revoked"))
  .map(([{ open }, kind]) => {
    const target = open() as object;
    const everything: object = new Proxy(() => everything, { get: () => everything });
    const revoked = Proxy.revocable(target, {});
    revoked.revoke();
    const all = new Proxy({}, { get: () => fail }) as ProxyHandler<object>;
    const value = {
      get: new Proxy(target, { get: fail }),
      all: new Proxy(target, all),
      nothing: new Proxy(target, {}),
      same: everything,
      revoked: revoked.proxy,
    }[kind];
    return boxed(value);
  });

const opaque = fc.oneof(trapped, proxied);
const list = fc.array(opaque, { maxLength: 4 }).map((boxes) => boxed(boxes.map(({ open }) => open())));
const anyValue = fc.oneof(simple.map(boxed), lookalikes, opaque, list);

describe("any value", () => {
  it("is shown as JSON that always has text of bounded length, and never throws", async () => {
    await fc.assert(
      fc.asyncProperty(anyValue, async ({ open }) => {
        const value = open();
        const shown = await render(value);
        if (value === undefined || value === null) {
          expect(shown).toBeUndefined();
          return;
        }
        expect(typeof shown?.data["text/plain"]).toBe("string");
        expect(JSON.parse(JSON.stringify(shown))).toEqual(shown);
        expect(JSON.stringify(shown).length).toBeLessThan(bound);
      }),
      { numRuns: 1500 },
    );
  });

  it("has its texts escaped where they become HTML", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string(), { minLength: 1 }), fc.string(), async (cells, name) => {
        const frame = {
          columns: [name],
          length: cells.length,
          rows: () => cells.map((cell) => ({ [name]: cell })),
        };
        const html = String((await render(frame))?.data["text/html"]);
        const known = /<\/?(?:table|thead|tbody|tr|th|td|p)(?: (?:border|class|scope|style)="[a-z1: -]*")*>/g;
        expect(html.replace(known, "")).not.toMatch(/[<>"]/);
      }),
    );
  });
});

describe("showing values", () => {
  it("loads no package before there is something to draw with it", () => {
    const folder = join(import.meta.dirname, "../../../kernels/typescript/executor/render");
    const loaded = readdirSync(folder).flatMap((file) => {
      const source = readFileSync(join(folder, file), "utf8");
      return [...source.matchAll(/^(?:import|export) (?!type )[^;]*? from "([^"]+)"/gm)].map(
        ([, name = ""]) => name,
      );
    });
    expect(loaded.length).toBeGreaterThan(20);
    const others = loaded.filter((name) => !name.startsWith("./") && !name.startsWith("node:"));
    // These are small, and everything else of the kernel has loaded them already.
    const light = ["../own-frames.js", "@alignscope/base/errors", "@alignscope/base/size", "html-escaper"];
    expect([...new Set(others)].sort()).toEqual(light);
  });
});
