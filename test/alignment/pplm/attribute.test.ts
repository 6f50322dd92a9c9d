import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import * as tf from "@tensorflow/tfjs-core";
import { attributeOfProbe, readAttributeHead } from "../../../src/alignment/pplm/index.js";
import { AttributeHead } from "../../../src/alignment/pplm/objective.js";
import { openBackend } from "../../../src/tensors/index.js";
import { newFolder } from "../../model/folders.js";

beforeAll(async () => {
  await openBackend("cpu");
});

function fileOf(content: unknown): string {
  const path = join(newFolder(), "head.json");
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

const HEAD = {
  weight: [
    [1, 2, 3],
    [4, 5, 6],
  ],
  bias: [0, 1],
  classes: ["non_toxic", "toxic"],
};

test("a probe becomes a head of two classes whose softmax is the probe's sigmoid", async () => {
  const attribute = attributeOfProbe({ direction: [0.5, -1], bias: 0.25, stream: "pre-ln_f" });
  expect(attribute).toMatchObject({ target: 1, stream: "pre-ln_f" });
  const head = new AttributeHead(attribute);
  const [loss = Number.NaN] = await head.losses(tf.tensor2d([[2, 3]])).data();
  expect(loss).toBeCloseTo(Math.log(1 + Math.exp(-(0.5 * 2 - 3 + 0.25))), 5);
  head.dispose();
});

test("a stored head is read, with the class that is named as target", async () => {
  const path = fileOf(HEAD);
  expect(await readAttributeHead(path, { dModel: 3 })).toEqual({
    weight: HEAD.weight,
    bias: HEAD.bias,
    target: 1,
    stream: "post-ln_f",
  });
  expect((await readAttributeHead(path, { target: "non_toxic" })).target).toBe(0);
});

test("PPLM's own toxicity head is 1024 wide", async ({ skip }) => {
  if (!process.env["ALIGNSCOPE_MIRROR"]) skip("needs a mirror (ALIGNSCOPE_MIRROR)");
  const { weight } = await readAttributeHead();
  expect(weight.map((row) => row.length)).toEqual([1024, 1024]);
});

test.each([
  [HEAD, { dModel: 4 }, /reads hidden states of width 3, the model's are 4 wide/],
  [HEAD, { target: "angry" }, /no class "angry", expected one of non_toxic, toxic$/],
  ["{", {}, /not JSON/],
  [[1], {}, /not a classifier head/],
  [{ ...HEAD, classes: undefined }, {}, /not a classifier head/],
  [{ ...HEAD, bias: [1] }, {}, /2 classes and 1 biases/],
  [{ ...HEAD, weight: [[1], [2, 3]] }, { dModel: 1 }, /rows of weights of unequal length/],
  [{ ...HEAD, weight: [[1], [null]] }, { dModel: 1 }, /holds null, expected finite numbers/],
])("a file that holds %o is refused for %o", async (content, options, message) => {
  await expect(readAttributeHead(fileOf(content), options)).rejects.toThrow(message);
});

test("a file that is not there is refused", async () => {
  await expect(readAttributeHead("./no/such/head.json")).rejects.toThrow(/no file or folder/);
});
