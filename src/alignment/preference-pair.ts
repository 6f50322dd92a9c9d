/** Two continuations of one prompt, the first preferred to the second, as text. */
export interface PreferencePair {
  /** Says which pair is meant, in logs and errors: unique within a set. */
  id: string;
  prompt: string;
  /** The preferred continuation (of the paper: greedy GPT-2's). */
  chosen: string;
  /** The continuation that is to become less likely (of the paper: PPLM's toxic one). */
  rejected: string;
}

/** A {@link PreferencePair} as token ids. */
export interface TokenPair {
  id: string;
  prompt: number[];
  chosen: number[];
  rejected: number[];
}
