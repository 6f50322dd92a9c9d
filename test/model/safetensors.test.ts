import fc from "fast-check";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { GPT2 } from "../../src/model/index.js";
import { fromHalf, toHalf } from "../../src/tensors/half.js";
import { encodeSafetensors, listTensors, readTensor } from "../../src/tensors/safetensors.js";
import { openBackend } from "../../src/tensors/index.js";
import { modelFolder, newFolder, SMALL, smallTensors, type Tensors } from "./folders.js";

beforeAll(async () => {
  await openBackend("wasm");
});

async function logitsOf(folder: string): Promise<number[]> {
  const model = await GPT2.load(folder);
  const logits = model.forward([[1, 2, 3]]);
  const values = Array.from(await logits.data());
  logits.dispose();
  model.dispose();
  return values;
}

/** A folder whose safetensors file is written by hand. */
function rawFolder(header: object, data: Uint8Array): string {
  const folder = modelFolder(smallTensors());
  const text = Buffer.from(JSON.stringify(header));
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(text.length));
  writeFileSync(join(folder, "model.safetensors"), Buffer.concat([prefix, text, data]));
  return folder;
}

describe("half precision", () => {
  test("every half survives the way to single and back", () => {
    for (let half = 0; half < 0x10000; half++) {
      const value = fromHalf(half);
      if (Number.isNaN(value)) expect(fromHalf(toHalf(value))).toBeNaN();
      else expect(toHalf(value)).toBe(half);
    }
  });

  test("a single goes to a nearest half", () => {
    fc.assert(
      fc.property(fc.float({ min: -65504, max: 65504, noNaN: true }), (value) => {
        const half = toHalf(value);
        const error = Math.abs(fromHalf(half) - value);
        for (const neighbour of [half - 1, half + 1]) {
          const other = fromHalf(neighbour & 0xffff);
          if (Number.isFinite(other)) expect(error).toBeLessThanOrEqual(Math.abs(other - value));
        }
      }),
    );
  });

  test("a tie goes to the even half, and what is too large becomes infinite", () => {
    expect(fromHalf(toHalf(2049))).toBe(2048);
    expect(fromHalf(toHalf(2051))).toBe(2052);
    expect(fromHalf(toHalf(1e6))).toBe(Infinity);
    expect(fromHalf(toHalf(-1e-9))).toBe(-0);
  });
});

describe("loading a model folder", () => {
  test("names with the prefix transformer. are the same model", async () => {
    const prefixed = smallTensors().map(([name, tensor]): Tensors[number] => [`transformer.${name}`, tensor]);
    expect(await logitsOf(modelFolder(prefixed))).toEqual(await logitsOf(modelFolder(smallTensors())));
  });

  test("attention-mask buffers are ignored", async () => {
    const buffers: Tensors = [
      ["h.0.attn.bias", { shape: [1, 1, 4, 4], data: new Float32Array(16) }],
      ["h.1.attn.masked_bias", { shape: [], data: new Float32Array(1) }],
    ];
    expect(await logitsOf(modelFolder([...smallTensors(), ...buffers]))).toEqual(
      await logitsOf(modelFolder(smallTensors())),
    );
  });

  test("an lm_head equal to the embedding is tied, another is used", async () => {
    const tensors = smallTensors();
    const embedding = tensors.find(([name]) => name === "wte.weight")?.[1].data as Float32Array;
    const shape = [SMALL.vocabSize, SMALL.dModel];
    const tied = await logitsOf(modelFolder([...tensors, ["lm_head.weight", { shape, data: embedding }]]));
    expect(tied).toEqual(await logitsOf(modelFolder(tensors)));
    const doubled = embedding.map((value) => 2 * value);
    const untied = await logitsOf(modelFolder([...tensors, ["lm_head.weight", { shape, data: doubled }]]));
    untied.forEach((value, i) => expect(value).toBeCloseTo(2 * (tied[i] as number), 4));
  });

  test("float16 and bfloat16 give the float32 model to their precision", async () => {
    const single = await logitsOf(modelFolder(smallTensors()));
    const half = await logitsOf(modelFolder(smallTensors(), "F16"));
    half.forEach((value, i) => expect(value).toBeCloseTo(single[i] as number, 3));

    let offset = 0;
    const chunks: Buffer[] = [];
    const header: Record<string, unknown> = {};
    for (const [name, { shape, data }] of smallTensors()) {
      const words = Uint16Array.from(new Uint32Array(data.slice().buffer), (bits) => bits >>> 16);
      chunks.push(Buffer.from(words.buffer));
      header[name] = { dtype: "BF16", shape, data_offsets: [offset, (offset += 2 * data.length)] };
    }
    const brain = await logitsOf(rawFolder(header, Buffer.concat(chunks)));
    brain.forEach((value, i) => expect(Math.abs(value - (single[i] as number))).toBeLessThan(0.02));
  });

  test("a sharded index is followed", async () => {
    const whole = modelFolder(smallTensors());
    const folder = newFolder();
    writeFileSync(join(folder, "config.json"), readFileSync(join(whole, "config.json")));
    const tensors = smallTensors();
    const weightMap: Record<string, string> = {};
    for (const [shard, part] of [tensors.slice(0, 5), tensors.slice(5)].entries()) {
      const name = `model-0000${shard + 1}-of-00002.safetensors`;
      writeFileSync(join(folder, name), encodeSafetensors(part));
      for (const [tensor] of part) weightMap[tensor] = name;
    }
    writeFileSync(join(folder, "model.safetensors.index.json"), JSON.stringify({ weight_map: weightMap }));
    expect(await logitsOf(folder)).toEqual(await logitsOf(whole));
  });

  test("what is saved loads as the same model", async () => {
    const model = GPT2.random(SMALL, 3);
    const folder = newFolder();
    await model.save(folder);
    for (const entry of listTensors(folder).values()) {
      expect(readTensor(entry)).toEqual(await model.weight(entry.name).data());
    }
    model.dispose();
  });
});

describe("a bad model folder is refused in one line that names what is wrong", () => {
  async function refusal(folder: string): Promise<string> {
    const error: unknown = await GPT2.load(folder).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Error);
    const { message } = error as Error;
    expect(message).not.toContain("\n");
    return message;
  }

  test("a truncated file", async () => {
    const folder = modelFolder(smallTensors());
    const path = join(folder, "model.safetensors");
    writeFileSync(path, readFileSync(path).subarray(0, -100));
    expect(await refusal(folder)).toMatch(
      /truncated: tensor h\.1\.mlp\.c_proj\.weight ends at byte \d+, the file has \d+/,
    );
  });

  test("a file cut within its header, and an empty one", async () => {
    const folder = modelFolder(smallTensors());
    const path = join(folder, "model.safetensors");
    for (const length of [40, 3, 0]) {
      writeFileSync(path, readFileSync(path).subarray(0, length));
      expect(await refusal(folder)).toMatch(/truncated/);
    }
  });

  test("a tensor of another shape", async () => {
    const tensors = smallTensors().map(([name, tensor]): Tensors[number] =>
      name === "h.1.mlp.c_fc.bias" ? [name, { shape: [31], data: new Float32Array(31) }] : [name, tensor],
    );
    expect(await refusal(modelFolder(tensors))).toMatch(/h\.1\.mlp\.c_fc\.bias is \[31\], expected \[32\]/);
  });

  test("a missing tensor", async () => {
    const tensors = smallTensors().filter(([name]) => name !== "h.0.ln_2.weight");
    expect(await refusal(modelFolder(tensors))).toMatch(/h\.0\.ln_2\.weight is missing, expected \[8\]/);
  });

  test("a dtype that holds no weights, ranges that do not fit, a header that is no JSON", async () => {
    const entry = (dtype: string, end: number): object => ({
      "wte.weight": { dtype, shape: [2], data_offsets: [0, end] },
    });
    expect(await refusal(rawFolder(entry("F8_E4M3", 2), new Uint8Array(2)))).toMatch(
      /dtype F8_E4M3, expected F32/,
    );
    expect(await refusal(rawFolder(entry("F32", 4), new Uint8Array(4)))).toMatch(
      /takes 8 bytes, the header gives 4/,
    );
    const folder = rawFolder({}, new Uint8Array(0));
    writeFileSync(
      join(folder, "model.safetensors"),
      Buffer.from([4, 0, 0, 0, 0, 0, 0, 0, 120, 120, 120, 120]),
    );
    expect(await refusal(folder)).toMatch(/header is not JSON/);
  });

  test("no weights, no config, a config of another model", async () => {
    expect(await refusal(newFolder())).toMatch(/config\.json is missing/);
    const folder = modelFolder(smallTensors());
    writeFileSync(join(folder, "config.json"), JSON.stringify({ model_type: "llama" }));
    expect(await refusal(folder)).toMatch(/model_type is "llama", expected "gpt2"/);
    writeFileSync(
      join(folder, "config.json"),
      JSON.stringify({ n_layer: 2, n_head: 3, n_embd: 8, n_positions: 4, vocab_size: 5 }),
    );
    expect(await refusal(folder)).toMatch(/n_embd 8 is not a multiple of n_head 3/);
  });
});
