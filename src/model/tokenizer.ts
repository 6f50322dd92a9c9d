import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { UserError, messageOf } from "@alignscope/base/errors";

/** What is used of the tokenizer of @xenova/transformers. */
interface Backend {
  encode(text: string, options: { add_special_tokens: boolean }): number[];
  decode(
    ids: number[],
    options: { skip_special_tokens: boolean; clean_up_tokenization_spaces: boolean },
  ): string;
}

/**
 * A byte-level BPE tokenizer of a model folder (`tokenizer.json`), through @xenova/transformers.
 *
 * @example
 * const tokenizer = await Tokenizer.load("data/lab/model");
 * tokenizer.decode(tokenizer.encode("It rains.")); // "It rains."
 */
export class Tokenizer {
  private constructor(
    private readonly backend: Backend,
    readonly vocabSize: number,
    readonly eosTokenId: number,
  ) {}

  static async load(folder: string): Promise<Tokenizer> {
    const tokenizer = readJson(join(folder, "tokenizer.json"));
    const configPath = join(folder, "tokenizer_config.json");
    const config = existsSync(configPath) ? readJson(configPath) : { tokenizer_class: "GPT2Tokenizer" };
    const model = tokenizer["model"] as { vocab?: Record<string, number> } | undefined;
    const added = (tokenizer["added_tokens"] ?? []) as { id: number; content: string }[];
    if (!model?.vocab)
      throw new UserError(
        `${join(folder, "tokenizer.json")}: no model.vocab, expected a byte-level BPE tokenizer`,
      );
    const ids = new Map([
      ...Object.entries(model.vocab),
      ...added.map((token): [string, number] => [token.content, token.id]),
    ]);
    const eosTokenId = ids.get("<|endoftext|>");
    if (eosTokenId === undefined)
      throw new UserError(`${join(folder, "tokenizer.json")}: no token <|endoftext|>`);
    const { GPT2Tokenizer } = await import("@xenova/transformers");
    const backend = new GPT2Tokenizer(tokenizer, config) as unknown as Backend;
    return new Tokenizer(backend, Math.max(...ids.values()) + 1, eosTokenId);
  }

  /** Token ids of a text, without a beginning-of-text token. */
  encode(text: string): number[] {
    return text === "" ? [] : Array.from(this.backend.encode(text, { add_special_tokens: false }), Number);
  }

  /** The text of token ids, without special tokens unless asked for. */
  decode(ids: readonly number[], { skipSpecialTokens = true } = {}): string {
    if (ids.length === 0) return "";
    return this.backend.decode([...ids], {
      skip_special_tokens: skipSpecialTokens,
      clean_up_tokenization_spaces: false,
    });
  }

  /** The text of one token, its leading space included; half a character shows as U+FFFD. */
  tokenText(id: number): string {
    return this.decode([id], { skipSpecialTokens: false });
  }
}

function readJson(path: string): Record<string, unknown> {
  if (!existsSync(path))
    throw new UserError(`${path} is missing: expected a tokenizer in tokenizer.json format`);
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
  } catch (error) {
    throw new UserError(`${path}: not JSON (${messageOf(error)}); fetch it again`);
  }
}
