import { UserError } from "@alignscope/base/errors";
import type { GPT2, Tokenizer } from "../model/index.js";

/** How well a model foretells texts, in a unit that does not depend on its tokenizer. */
export interface BitsPerByte {
  /** Bits per byte: all tokens' loss in nats / ln 2 / UTF-8 bytes. */
  value: number;
  texts: number;
  /** Bytes of the texts in UTF-8. */
  bytes: number;
  /** Tokens predicted: all of every text. */
  tokens: number;
}

/**
 * Bits per byte of texts. Each text begins with the beginning-of-text token and is cut into windows of the context that
 * share one token, so that each of its tokens is predicted exactly once.
 *
 * @param texts empty ones are passed over
 * @param batchSize windows per forward pass
 * @throws UserError when no text holds a byte
 */
export async function bitsPerByte(
  model: GPT2,
  tokenizer: Pick<Tokenizer, "encode">,
  texts: readonly string[],
  { batchSize = 16 }: { batchSize?: number } = {},
): Promise<BitsPerByte> {
  const { nPositions, bosTokenId } = model.config;
  const filled = texts.filter((text) => text !== "");
  if (filled.length === 0) {
    throw new UserError("bits per byte got no text: expected at least one that is not empty");
  }
  const windows = filled.flatMap((text) => {
    const ids = [bosTokenId, ...tokenizer.encode(text)];
    const starts = Math.ceil((ids.length - 1) / (nPositions - 1));
    return Array.from({ length: starts }, (_, k) =>
      ids.slice(k * (nPositions - 1), (k + 1) * (nPositions - 1) + 1),
    );
  });
  // Windows of like length share a batch, so that little is spent on pads.
  windows.sort((a, b) => a.length - b.length);
  let nats = 0;
  let tokens = 0;
  for (let from = 0; from < windows.length; from += batchSize) {
    const batch = windows.slice(from, from + batchSize);
    const width = Math.max(...batch.map((ids) => ids.length));
    const logProbs = model.tokenLogProbs(batch, { padding: "masked" });
    const data = await logProbs.data(); // [batch, width − 1]
    logProbs.dispose();
    for (const [row, { length }] of batch.entries()) {
      for (let at = row * (width - 1) + width - length; at < (row + 1) * (width - 1); at += 1) {
        nats -= data[at] as number;
      }
      tokens += length - 1;
    }
  }
  const bytes = filled.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  return { value: nats / Math.LN2 / bytes, texts: filled.length, bytes, tokens };
}
