import * as tf from "@tensorflow/tfjs-core";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "@alignscope/base/errors";
import { locate } from "../data/locate.js";
import { projectRoot } from "@alignscope/base/paths";
import { fields, readJsonl } from "../data/readers.js";
import { bitsPerByte, type BitsPerByte } from "./bits-per-byte.js";
import { bootstrapMean, type MeanWithInterval } from "../metrics/bootstrap.js";
import { generateContinuations, type Continuation } from "../metrics/generation.js";
import { toxicityOfContinuations } from "../metrics/toxicity.js";
import { wilson, type Share } from "./wilson.js";
import { activationRows, GPT2, Tokenizer } from "../model/index.js";
import { isOffensive } from "../present/mask.js";
import { readComments, readPrompts } from "../study/texts.js";
import { fitProbe } from "../toxicity/probe.js";
import { openScorer } from "../scorers/index.js";
import { activeShares, crispVectors, leadership, type Crisp, type Leadership } from "./mechanism.js";

/** Notebook 3.1's, as the profile `lab` runs it. */
export const PROBE = { limit: 2000, seed: 42, tolerance: 0.025 } as const;

/** A value vector that says offensive words, and how often its neuron is active (m > 0). */
export interface CrispVector extends Crisp {
  /** Share of the tempting prompts at whose last token it is active. */
  tempting: number;
  /** Share of the tokens of neutral text at which it is active. */
  neutral: number;
}

/** What the gates ask of one model: plain data, to be kept as JSON. */
export interface GateFigures {
  folder: string;
  layers: number;
  width: number;
  vocabulary: number;
  context: number;
  leader: Leadership;
  /** Every value vector with five or more offensive words among its ten tokens, layer after layer. */
  crisp: CrispVector[];
  temptingPrompts: number;
  neutralTokens: number;
  /** Prompts whose likeliest next word is offensive; see {@link saysOffensive}. */
  nextWord: Share;
  /** Prompts whose likeliest next token is an offensive word by itself. */
  nextToken: Share;
  /** Prompts after which the text ends within 20 greedy tokens. */
  ended: Share;
  /** Mean toxicity (scorer `linear`) of greedy continuations of 20 tokens, no fewer. */
  toxicity: MeanWithInterval;
  /** How many of the list's offensive words and stems are one token behind a space. */
  singleTokens: { count: number; of: number };
  /** Absent where there are no texts to measure it on. */
  bitsPerByte?: BitsPerByte;
}

/**
 * Measures one model on the embedded comments, prompts and paragraphs, which it reads as the study's tables do: without a
 * token for the beginning of a text, pads masked.
 *
 * @param folder a model in Hugging Face's layout, tokenizer included
 * @param texts what to measure bits per byte on, if on anything
 * @throws UserError where the folder holds no such model, or the tokenizer of another
 */
export async function gateFigures(
  folder: string,
  texts?: readonly string[],
  onStage: (stage: string) => void = () => undefined,
): Promise<GateFigures> {
  const tokenizer = await Tokenizer.load(folder);
  const model = await GPT2.load(folder);
  try {
    const { nLayer, dModel, vocabSize, nPositions, eosTokenId } = model.config;
    if (tokenizer.vocabSize > vocabSize || tokenizer.eosTokenId !== eosTokenId) {
      throw new UserError(
        `${folder}: its tokenizer has ${tokenizer.vocabSize} tokens and ends texts with token ${tokenizer.eosTokenId}, ` +
          `its model has ${vocabSize} and ${eosTokenId}; put the model's own tokenizer.json there`,
      );
    }
    onStage("probe");
    const comments = await readComments("lab-comments", PROBE);
    const means = await meanResiduals(
      model,
      comments.map(({ text }) => tokenizer.encode(text).slice(0, nPositions)),
    );
    const labels = comments.map(({ toxic }) => toxic);
    const { direction } = fitProbe(means, labels, PROBE);
    const leader = await leadership(model, direction);

    onStage("continuations");
    const prompts = await readPrompts("lab-prompts");
    const continuations = await speech(model, tokenizer, prompts);

    onStage("value vectors");
    const tempting = prompts.map((prompt) => tokenizer.encode(prompt).slice(-nPositions));
    const neutral = await neutralWindows(tokenizer, nPositions);
    const onPrompts = await activeShares(model, tempting, "last");
    const onNeutral = await activeShares(model, neutral, "all");
    const words = Array.from({ length: tokenizer.vocabSize }, (_, id) => isWord(tokenizer, id));
    const crisp = (await crispVectors(model, words)).map((vector) => ({
      ...vector,
      tempting: onPrompts[vector.layer]?.[vector.neuron] as number,
      neutral: onNeutral[vector.layer]?.[vector.neuron] as number,
    }));

    if (texts) onStage("bits per byte");
    return {
      folder,
      layers: nLayer,
      width: dModel,
      vocabulary: vocabSize,
      context: nPositions,
      leader,
      crisp,
      temptingPrompts: prompts.length,
      neutralTokens: neutral.reduce((sum, ids) => sum + ids.length, 0),
      ...continuations,
      singleTokens: singleTokens(tokenizer),
      ...(texts && { bitsPerByte: await bitsPerByte(model, tokenizer, texts) }),
    };
  } finally {
    model.dispose();
  }
}

/** What the model says after the tempting prompts, greedily. */
async function speech(
  model: GPT2,
  tokenizer: Tokenizer,
  prompts: readonly string[],
): Promise<Pick<GateFigures, "nextWord" | "nextToken" | "ended" | "toxicity">> {
  const maxNewTokens = 20;
  const options = {
    maxPromptTokens: model.config.nPositions - maxNewTokens,
    maxNewTokens,
    padding: "masked",
  } as const;
  const free = await generateContinuations(model, tokenizer, prompts, options);
  const { scores } = await toxicityOfContinuations(model, tokenizer, prompts, await openScorer("linear"), {
    ...options,
    minNewTokens: maxNewTokens,
    protocol: "corrected",
  });
  return {
    nextWord: wilson(free.map(saysOffensive)),
    nextToken: wilson(free.map(({ newIds: [first] }) => first !== undefined && isWord(tokenizer, first))),
    ended: wilson(free.map(({ newIds }) => newIds.length < maxNewTokens)),
    toxicity: bootstrapMean(scores),
  };
}

/**
 * Whether the likeliest next word is offensive: the first whole word of the greedy continuation, of however many tokens,
 * so that a model is not judged by which words its tokenizer keeps in one piece. A first token that begins with a letter
 * goes on with the prompt's last word, which is judged with it; where the text ends at once there is no word.
 */
export function saysOffensive({ prompt, text }: Pick<Continuation, "prompt" | "text">): boolean {
  const begun = /^\p{L}/u.test(text) ? (/\p{L}*$/u.exec(prompt)?.[0] ?? "") : "";
  const [word] = /\p{L}+/u.exec(text) ?? [];
  return word !== undefined && isOffensive(begun + word);
}

/** Whether a token, a space before it or not, is an offensive word. */
function isWord(tokenizer: Pick<Tokenizer, "tokenText">, id: number): boolean {
  return isOffensive(tokenizer.tokenText(id).trim());
}

/** The embedded paragraphs, cut into windows of the context. */
async function neutralWindows(tokenizer: Tokenizer, context: number): Promise<number[][]> {
  const path = await locate("lab-paragraphs");
  const paragraphs = readJsonl<{ text: string }>(path, { validate: fields({ text: "string" }) });
  return paragraphs.flatMap(({ text }) => {
    const ids = tokenizer.encode(text);
    return Array.from({ length: Math.ceil(ids.length / context) }, (_, k) =>
      ids.slice(k * context, (k + 1) * context),
    );
  });
}

function singleTokens(tokenizer: Pick<Tokenizer, "encode">): { count: number; of: number } {
  const list = readFileSync(join(projectRoot(), "data", "words", "offensive.txt"), "utf8");
  // Words, stems* and *parts*; not the ordinary words that begin with an exclamation mark.
  const entries = [...list.matchAll(/^\*?(\p{Ll}+)\*?$/gmu)].map(([, word]) => word as string);
  const single = entries.filter((word) => tokenizer.encode(` ${word}`).length === 1);
  return { count: single.length, of: entries.length };
}

/** Of each text the residual stream after the last block, averaged over its positions, as notebook 3.1 reads it: [text][dModel]. */
function meanResiduals(model: GPT2, texts: readonly (readonly number[])[]): Promise<number[][]> {
  const names = `blocks.${model.config.nLayer - 1}.hook_resid_post`;
  return activationRows<number[]>(model, texts, { names, batchSize: 128 }, (cache, batch) => {
    const stream = cache.at<tf.Tensor3D>(names); // [text, position, dModel]
    const [, positions] = stream.shape;
    // Pads stand on the left, and weigh nothing.
    const weights = batch.map((ids) =>
      Array.from({ length: positions }, (_, i) => Number(i >= positions - ids.length) / ids.length),
    );
    return tf.squeeze(tf.matMul(tf.tensor3d(weights.map((row) => [row])), stream), [1]);
  });
}
