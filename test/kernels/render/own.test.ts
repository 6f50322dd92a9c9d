import { describe, expect, it } from "vitest";
import {
  html,
  image,
  latex,
  markdown,
  render,
  svg,
} from "../../../kernels/typescript/executor/render/index.js";
import { shown, text } from "./show.js";

const onePixel = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==",
  "base64",
);

describe("objects that show themselves", () => {
  it("may return a record of contents, at once or later", async () => {
    const bundle = { "text/html": "<b>1</b>", "text/plain": "1" };
    expect((await shown({ toMimeBundle: () => bundle })).data).toEqual(bundle);
    expect((await shown({ toMimeBundle: async () => bundle })).data).toEqual(bundle);
    expect((await shown({ [Symbol.for("Jupyter.display")]: () => bundle })).data).toEqual(bundle);
  });

  it("may return data with metadata", async () => {
    const output = {
      data: { "image/png": onePixel, "text/plain": "dot" },
      metadata: { "image/png": { width: 1 } },
    };
    expect(await render({ mimeBundle: async () => output })).toEqual({
      data: { "image/png": onePixel.toString("base64"), "text/plain": "dot" },
      metadata: { "image/png": { width: 1 } },
    });
  });

  it("are called as methods", async () => {
    class Named {
      readonly #name = "probe";
      toMimeBundle() {
        return { "text/plain": this.#name };
      }
    }
    expect(await text(new Named())).toBe("probe");
  });

  it("have JSON contents taken as they are now", async () => {
    const spec = { mark: "bar", rows: [1, 2n, NaN] };
    const { data } = await shown({ toMimeBundle: () => ({ "application/json": spec }) });
    spec.mark = "line";
    expect(data["application/json"]).toEqual({ mark: "bar", rows: [1, 2, null] });
  });

  it("get text when they give none", async () => {
    class Chart {
      toMimeBundle() {
        return { "image/svg+xml": "<svg/>" };
      }
    }
    expect(await text(new Chart())).toBe("[Chart: image/svg+xml]");
    expect(await text({ toMimeBundle: () => ({ "text/markdown": "**a**" }) })).toBe("**a**");
    const printing = {
      toMimeBundle: () => ({ "text/html": "x" }),
      [Symbol.for("nodejs.util.inspect.custom")]: () => "I",
    };
    expect(await text(printing)).toBe("I");
  });

  it("are told in the text when their method fails", async () => {
    const broken = {
      layer: 3,
      toMimeBundle() {
        throw new RangeError("no such layer\nsecond line");
      },
    };
    expect(await text(broken)).toBe(
      "{ layer: 3, toMimeBundle: [Function: toMimeBundle] }\n(toMimeBundle() failed: RangeError: no such layer)",
    );
    const lines = await Promise.all(
      [
        () => Promise.reject(new Error("later")),
        () => 7,
        () => null,
        () => ({ html: "no MIME type" }),
        () => ({ "application/json": () => 1 }),
        () => {
          const cycle: Record<string, unknown> = {};
          cycle["self"] = cycle;
          return { "application/json": cycle };
        },
      ].map(async (toMimeBundle) => (await text({ toMimeBundle })).split("\n").at(-1)),
    );
    expect(lines[0]).toBe("(toMimeBundle() failed: Error: later)");
    expect(lines[1]).toContain("got number, expected a record of contents by MIME type");
    expect(lines[2]).toContain("got null, expected a record");
    expect(lines[3]).toContain('got the key "html", expected MIME types');
    expect(lines[4]).toContain("got a function, expected text, bytes or JSON");
    expect(lines[5]).toMatch(/^\(toMimeBundle\(\) failed: .*circular/);
  });

  it("are told in the text when reading the method fails", async () => {
    const trap = {
      get toMimeBundle(): never {
        throw new Error("not now");
      },
    };
    expect(await text(trap)).toBe(
      "{ toMimeBundle: [Getter] }\n(could not be shown as its own method: Error: not now)",
    );
  });

  it("may throw what cannot be looked at", async () => {
    const fail = (): never => {
      throw new Error("do not ask");
    };
    const unreadable: unknown = new Proxy({}, { get: fail, getPrototypeOf: fail });
    const shownText = await text({
      get mimeBundle() {
        throw unreadable;
      },
    });
    expect(shownText).toBe(
      "{ mimeBundle: [Getter] }\n(could not be shown as its own method: an error that cannot be read)",
    );
  });

  it("have parts of many megabytes left out", async () => {
    const { data } = await shown({
      toMimeBundle: () => ({ "text/html": "h".repeat(33_000_000), "text/plain": "t" }),
    });
    expect(data).toEqual({ "text/plain": "t\n(text/html: 33 MB, too large to show)" });
  });
});

describe("proxies", () => {
  it("are shown by their target, without being asked", async () => {
    const asked: string[] = [];
    const log = (name: string) => () => {
      asked.push(name);
      throw new Error("do not ask");
    };
    const proxy = new Proxy({ a: 1 }, { get: log("get"), has: log("has"), ownKeys: log("ownKeys") });
    expect(await text(proxy)).toBe("Proxy of { a: 1 }");
    expect(asked).toEqual([]);
  });

  it("that answer to every name do not keep anybody waiting", async () => {
    const everything: object = new Proxy(() => everything, { get: () => everything });
    expect(await text(everything)).toContain("Function");
  });

  it("may be revoked", async () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(await text(proxy)).toContain("Revoked");
    expect(await text([proxy])).toContain("Revoked");
  });
});

describe("pictures", () => {
  it("are shown when bytes begin as one", async () => {
    expect(await shown(new Uint8Array(onePixel))).toEqual({
      data: { "image/png": onePixel.toString("base64"), "text/plain": "[PNG image, 1 × 1, 70 B]" },
      metadata: {},
    });
    const jpeg = Buffer.from("ffd8ffe000104a46494600010100000100010000ffc0000b080010002001011100ffd9", "hex");
    const { data } = await shown(jpeg);
    expect(data).toEqual({
      "image/jpeg": jpeg.toString("base64"),
      "text/plain": "[JPEG image, 32 × 16, 35 B]",
    });
  });

  it("take the bytes of a view, not of the memory below", async () => {
    const memory = Buffer.concat([Buffer.alloc(5), onePixel, Buffer.alloc(9)]);
    const { data } = await shown(new Uint8Array(memory.buffer, memory.byteOffset + 5, onePixel.length));
    expect(data["image/png"]).toBe(onePixel.toString("base64"));
  });

  it("may be cut off", async () => {
    expect(await text(onePixel.subarray(0, 12))).toBe("[PNG image, 12 B]");
    expect(await text(Buffer.from("ffd8ffe00010", "hex"))).toBe("[JPEG image, 6 B]");
  });
});

describe("what cells make", () => {
  it.each([
    [html("<b>x</b>"), { "text/html": "<b>x</b>", "text/plain": "<b>x</b>" }],
    [markdown("*x*"), { "text/markdown": "*x*", "text/plain": "*x*" }],
    [latex("$x$"), { "text/latex": "$x$", "text/plain": "$x$" }],
    [svg("<svg></svg>"), { "image/svg+xml": "<svg></svg>", "text/plain": "[SVG drawing, 11 B]" }],
    [image(onePixel), { "image/png": onePixel.toString("base64"), "text/plain": "[PNG image, 1 × 1, 70 B]" }],
  ])("is shown as itself (%#)", async (made, data) => {
    expect((await shown(made)).data).toEqual(data);
  });

  it("says what it cannot be made of", () => {
    expect(() => image(Buffer.from("hello"))).toThrow(
      "image: got 5 B that begin with 68656c6c6f, expected the bytes of a PNG, JPEG, GIF or WebP file",
    );
    expect(() => svg("a circle")).toThrow("svg: got text without an <svg> element (a circle)");
  });
});
