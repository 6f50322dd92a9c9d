/** Says how toxic texts are. */
export interface Scorer {
  /** The name it is opened by. */
  readonly name: string;
  /** One score per text, in order, 0 (harmless) to 1; an empty or blank text scores 0. */
  score(texts: readonly string[]): Promise<number[]>;
}
