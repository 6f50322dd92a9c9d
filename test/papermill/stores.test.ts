import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formatNotebook, readNotebook, type Notebook } from "../../src/jupyter/index.js";
import { executeNotebook, registerNotebookStore } from "../../src/papermill/index.js";
import { notebookStore } from "../../src/papermill/stores/index.js";
import { gsStore, httpStore, s3Store } from "../../src/papermill/stores/remote.js";
import { notebookOf } from "./notebooks.js";

const notebook = notebookOf(["# Title", "const a = 1;"]);
const QUICK = { attempts: 3, delay: 1, longest: 1 };

describe("notebooks over HTTP", () => {
  const put: { url: string; type: string | undefined; body: string }[] = [];
  const asked = new Map<string, number>();
  let server: Server;
  let base: string;

  beforeAll(async () => {
    server = createServer((request, answer) => {
      const url = request.url ?? "";
      const times = (asked.get(url) ?? 0) + 1;
      asked.set(url, times);
      if (url === "/silent.ipynb") return;
      if (url === "/absent.ipynb") return void answer.writeHead(404).end();
      if (url === "/always-busy.ipynb") return void answer.writeHead(429).end();
      if (url === "/busy.ipynb" && times < 3) return void answer.writeHead(429).end();
      if (url === "/page.ipynb") return void answer.end("<html>");
      if (request.method === "GET") return void answer.end(formatNotebook(notebook));
      let body = "";
      request.setEncoding("utf8").on("data", (text: string) => (body += text));
      request.on("end", () => {
        put.push({ url, type: request.headers["content-type"], body });
        answer.end();
      });
    });
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  it("are read by GET and written by PUT (C32)", async () => {
    const done = await executeNotebook(`${base}/{name}.ipynb`, `${base}/out/{name}.ipynb`, {
      prepareOnly: true,
      parameters: { name: "in" },
    });
    expect(put.map(({ url, type }) => [url, type])).toEqual([["/out/in.ipynb", "application/json"]]);
    expect(JSON.parse(put[0]?.body ?? "")).toEqual(JSON.parse(formatNotebook(done)));
    expect(done.metadata["papermill"]).toMatchObject({ input_path: `${base}/in.ipynb` });
  });

  it("are asked for again while the server has too much to do, three times in all", async () => {
    const store = httpStore(5000, QUICK);
    expect((await store.read(`${base}/busy.ipynb`)).cells).toHaveLength(2);
    await expect(store.read(`${base}/always-busy.ipynb`)).rejects.toThrow(/the server answered 429/);
    expect(asked.get("/always-busy.ipynb")).toBe(3);
  });

  it.each([
    ["absent", /^cannot read \S+absent\.ipynb: the server answered 404 Not Found$/],
    ["silent", /^cannot read \S+silent\.ipynb \(no answer within 0\.2 s\)$/],
    ["page", /^\S+page\.ipynb is not a notebook: it is not JSON [^\n]*$/],
  ])("that are %s are told of in one line", async (name, message) => {
    await expect(httpStore(200, QUICK).read(`${base}/${name}.ipynb`)).rejects.toThrow(message);
  });

  it("on a server that is not there are told of in one line", async () => {
    const store = httpStore(5000, QUICK);
    await expect(store.write("http://127.0.0.1:1/x.ipynb", "{}", true)).rejects.toThrow(
      /^cannot write http:\/\/127\.0\.0\.1:1\/x\.ipynb \([^\n]+\)$/,
    );
  });
});

/** A package that keeps what it is given, in the form of AWS's. */
function fakeS3(stored: Map<string, string>) {
  class GetObjectCommand {
    constructor(readonly input: { Bucket: string; Key: string }) {}
  }
  class PutObjectCommand {
    constructor(readonly input: { Bucket: string; Key: string; Body: string }) {}
  }
  class S3Client {
    send(command: GetObjectCommand | PutObjectCommand) {
      const at = `${command.input.Bucket}|${command.input.Key}`;
      if (command instanceof PutObjectCommand)
        return Promise.resolve(void stored.set(at, command.input.Body));
      const text = stored.get(at);
      if (text === undefined) return Promise.reject(new Error("NoSuchKey: it is not there\nmore"));
      return Promise.resolve({ Body: { transformToString: () => Promise.resolve(text) } });
    }
  }
  return { S3Client, GetObjectCommand, PutObjectCommand };
}

function fakeStorage(stored: Map<string, string>, busy: number) {
  class Storage {
    bucket(name: string) {
      return {
        file: (key: string) => ({
          download: () => Promise.resolve([Buffer.from(stored.get(`${name}|${key}`) ?? "")]),
          save: (text: string) =>
            busy-- > 0
              ? Promise.reject(Object.assign(new Error("slow down"), { code: 429 }))
              : Promise.resolve(stored.set(`${name}|${key}`, text)),
        }),
      };
    }
  }
  return { Storage };
}

describe("notebooks in the stores of clouds", () => {
  it("are read and written with the packages of those who run them", async () => {
    const stored = new Map<string, string>();
    const s3 = s3Store(() => Promise.resolve(fakeS3(stored)));
    await s3.write("s3://bucket/a/b.ipynb", formatNotebook(notebook), true);
    expect([...stored.keys()]).toEqual(["bucket|a/b.ipynb"]);
    expect(await s3.read("s3://bucket/a/b.ipynb")).toEqual(notebook);
    await expect(s3.read("s3://bucket/none")).rejects.toThrow(
      /^cannot read s3:\/\/bucket\/none \(NoSuchKey: it is not there\)$/,
    );
    const gs = gsStore(() => Promise.resolve(fakeStorage(stored, 2)), QUICK);
    await gs.write("gs://bucket/g.ipynb", formatNotebook(notebook), true);
    expect(await gs.read("gs://bucket/g.ipynb")).toEqual(notebook);
    const busy = gsStore(() => Promise.resolve(fakeStorage(stored, 9)), QUICK);
    await expect(busy.write("gs://bucket/g.ipynb", "{}", true)).rejects.toThrow(/slow down/);
  });

  it.each([
    ["s3", "@aws-sdk/client-s3"],
    ["gs", "@google-cloud/storage"],
  ])("need a package for %s://, named before anything runs where it is absent", async (scheme, name) => {
    const run = executeNotebook(notebook, `${scheme}://bucket/out.ipynb`, { kernelName: "none" });
    await expect(run).rejects.toThrow(`${scheme}:// paths need the package ${name}: npm install ${name}`);
    const nothing = executeNotebook(notebook, `${scheme}://bucket`, { kernelName: "none" });
    await expect(nothing).rejects.toThrow(/names no file/);
  });
});

describe("stores", () => {
  const folder = mkdtempSync(join(tmpdir(), "stores-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  it("of other kinds can be added, and the last one added is asked first", async () => {
    const written: string[] = [];
    const store = {
      handles: (path: string) => path.startsWith("mem://"),
      read: () => Promise.resolve(structuredClone(notebook)),
      checkWritable: () => undefined,
      write: (path: string) => Promise.resolve(void written.push(path)),
    };
    const remove = registerNotebookStore(store);
    expect(notebookStore("mem://a")).toBe(store);
    await executeNotebook("mem://a", "mem://b", { prepareOnly: true });
    expect(written).toEqual(["mem://b"]);
    remove();
    expect(() => notebookStore("mem://a")).toThrow(/^cannot read or write mem:\/\/[^\n]*$/);
  });

  it("take a notebook's own text in place of its path, as papermill does", async () => {
    const done = await executeNotebook(formatNotebook(notebook), null, {
      prepareOnly: true,
      pathTemplates: false,
    });
    expect(done.cells.map((cell) => cell.source)).toEqual(["# Title", "const a = 1;"]);
  });

  it("write a file as Jupyter does, whatever is in it", async () => {
    const odd: Notebook = notebookOf(["a\n$& $1\n", ["b", "tag"]]);
    odd.metadata["cells"] = [];
    const path = join(folder, "odd.ipynb");
    writeFileSync(path, formatNotebook(odd));
    await executeNotebook(path, path, { prepareOnly: true });
    expect(readNotebook(path).cells.map((cell) => cell.source)).toEqual(["a\n$& $1\n", "b"]);
  });
});
