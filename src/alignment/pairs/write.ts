import { writeFileAtomic } from "@alignscope/base/files";
import { rowText, type ReadPair } from "./row.js";

/**
 * Writes pairs in the published format (docs/recipes.md#preference-pairs), in their order, with what else is known of each;
 * the file whole or not at all.
 */
export function writePairs(path: string, pairs: readonly ReadPair[]): void {
  const lines = pairs.map(({ prompt, chosen, rejected, toxicity, tokens, divergence }) =>
    rowText({
      prompt_text: prompt,
      unpert_gen_text: chosen,
      pert_gen_text: rejected,
      ...(toxicity && { unpert_toxicity: toxicity.chosen, pert_toxicity: toxicity.rejected }),
      ...(tokens && {
        prompt_tokens: tokens.prompt,
        unpert_tokens: tokens.chosen,
        pert_tokens: tokens.rejected,
      }),
      ...(divergence === undefined ? {} : { pert_kl: divergence }),
    }),
  );
  writeFileAtomic(path, lines.map((line) => `${line}\n`).join(""));
}
