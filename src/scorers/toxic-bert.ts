import { messageOf, UserError } from "@alignscope/base/errors";
import type { Attribute, AttributeScores } from "./attributes.js";
import { CachedSource, type SlowScorer, type Unscored } from "./cached-source.js";
import type { ScoreOptions } from "./scorer.js";
import {
  checksumOfModel,
  downloadCache,
  downloadedFolder,
  findToxicBert,
  howToGet,
  TOXIC_BERT_REPO,
  TOXIC_BERT_REVISION,
  type ToxicBertDtype,
} from "./toxic-bert-files.js";
import { byLength } from "../model/padding.js";

export interface ToxicBertOptions {
  /** The model's folder; without one it is looked for, see {@link findToxicBert}. */
  readonly path?: string;
  /** Number format of the weights, `fp32` unless told. */
  readonly dtype?: ToxicBertDtype;
  /** `false`: look, but do not download. */
  readonly download?: boolean;
  /** Texts that go through the model together; 16 unless told. */
  readonly batch?: number;
  /** Where scores are kept; see {@link ScoreCache}. */
  readonly cacheFolder?: string;
}

/** The model's labels by the attributes that mean the same: Perspective's PROFANITY covers what Jigsaw called obscene. */
const attributeOf: Readonly<Record<string, Attribute>> = {
  toxic: "TOXICITY",
  severe_toxic: "SEVERE_TOXICITY",
  obscene: "PROFANITY",
  threat: "THREAT",
  insult: "INSULT",
  identity_hate: "IDENTITY_ATTACK",
};

interface Labelled {
  readonly label: string;
  readonly score: number;
}

/** What is used of the library's pipeline. */
interface Classify {
  (texts: string[], options: { top_k: null }): Promise<Labelled[][]>;
  readonly model: {
    readonly config: { readonly problem_type?: string; readonly id2label?: Record<string, string> };
  };
  readonly tokenizer: { readonly model_max_length: number; encode(text: string): number[] };
}

const inOneLine = (error: unknown): string => messageOf(error).replace(/\s+/g, " ").trim();

/** Opens the library, and ONNX Runtime with it: 50 MB that nobody loads who does not ask for this scorer. */
async function classifier(model: string, options: Record<string, unknown>): Promise<Classify> {
  const library = await import("@xenova/transformers");
  const { AutoModelForSequenceClassification, AutoTokenizer, env, LogLevel, TextClassificationPipeline } =
    library;
  env.logLevel = LogLevel.ERROR;
  const endpoint = process.env["HF_ENDPOINT"];
  if (endpoint) env.remoteHost = `${endpoint.replace(/\/+$/, "")}/`;
  // `pipeline("text-classification", …)` makes the same, but reads config.json of another commit than the one asked for.
  const parts = {
    task: "text-classification",
    tokenizer: await AutoTokenizer.from_pretrained(model, options),
    model: await AutoModelForSequenceClassification.from_pretrained(model, options),
  };
  return new TextClassificationPipeline(parts) as unknown as Classify;
}

class ToxicBertModel implements SlowScorer {
  readonly name = "toxic-bert";
  readonly attributeNames = Object.values(attributeOf);

  constructor(
    private readonly classify: Classify,
    readonly identity: string,
    private readonly batch: number,
  ) {}

  async scoreEach(
    texts: readonly Unscored[],
    keep: (text: string, scores: AttributeScores) => void,
    { onNote, signal }: Required<Pick<ScoreOptions, "onNote">> & Pick<ScoreOptions, "signal">,
  ): Promise<void> {
    this.noteLongOnes(texts, onNote);
    // A batch is as long as its longest text: like lengths together waste least on padding.
    const order = byLength(texts.map(({ text }) => text.length)).map((i) => texts[i]!);
    for (let at = 0; at < order.length; at += this.batch) {
      signal?.throwIfAborted();
      const some = order.slice(at, at + this.batch);
      const answers = await this.run(some);
      some.forEach(({ text }, i) => keep(text, attributesOf(answers[i] ?? [])));
    }
  }

  /** One note for all: a set of texts is often long throughout. */
  private noteLongOnes(texts: readonly Unscored[], onNote: (note: string) => void): void {
    const { tokenizer } = this.classify;
    const most = tokenizer.model_max_length;
    // No token is shorter than a character, but for the two at the ends.
    const long = texts.filter(({ text }) => text.length + 2 > most && tokenizer.encode(text).length > most);
    const [first] = long;
    if (!first) return;
    const which =
      long.length === 1
        ? `text ${first.row} has`
        : `${long.length} texts (the first is text ${first.row}) have`;
    onNote(`toxic-bert reads ${most} tokens: what ${which} beyond them is not scored`);
  }

  private async run(texts: readonly Unscored[]): Promise<Labelled[][]> {
    try {
      return await this.classify(
        texts.map(({ text }) => text),
        { top_k: null },
      );
    } catch (error) {
      const rows = texts.map(({ row }) => row).sort((a, b) => a - b);
      throw new UserError(
        `toxic-bert failed on texts ${rows.join(", ")}: ${inOneLine(error)}; what was scored before is in the cache`,
      );
    }
  }
}

function attributesOf(labels: readonly Labelled[]): AttributeScores {
  const scores: { [name in Attribute]?: number } = {};
  for (const { label, score } of labels) {
    const attribute = attributeOf[label];
    if (attribute) scores[attribute] = score;
  }
  return scores as AttributeScores;
}

/** Not every BERT with six outputs is this one. */
function check({ model: { config } }: Classify, where: string): void {
  const labels = Object.values(config.id2label ?? {});
  const missing = Object.keys(attributeOf).filter((label) => !labels.includes(label));
  if (missing.length > 0 || config.problem_type !== "multi_label_classification") {
    throw new UserError(
      `the model in ${where} is not toxic-bert: its config.json has problem_type ${config.problem_type} and labels ` +
        `${labels.join(", ") || "none"}, expected multi_label_classification and ${Object.keys(attributeOf).join(", ")}`,
    );
  }
}

/**
 * toxic-bert, Detoxify's `original` (a BERT trained on Jigsaw's labels of 2018), as Xenova/toxic-bert runs it in ONNX
 * Runtime: six labels, each its own sigmoid, by the names of Perspective's attributes. The follow-ups that leave
 * Perspective use it. Its first 512 tokens of a text count.
 *
 * Scores are kept in the cache of scores under the checksum of the model's files.
 *
 * @throws UserError in one line: the model is on neither this machine nor the network, its folder is incomplete or holds
 * another model, or ONNX Runtime is not installed
 */
export async function openToxicBert(options: ToxicBertOptions = {}): Promise<CachedSource> {
  const { dtype = "fp32", batch = 16 } = options;
  const found = findToxicBert(dtype, options.path);
  const settings = { dtype, device: "cpu" };
  let folder: string;
  let classify: Classify;
  if ("folder" in found) {
    ({ folder } = found);
    try {
      classify = await classifier(folder, { ...settings, local_files_only: true });
    } catch (error) {
      const again = folder === downloadedFolder() ? "; delete the folder to have it downloaded again" : "";
      throw new UserError(`cannot open toxic-bert in ${folder}: ${inOneLine(error)}${again}`);
    }
  } else {
    if (options.download === false) {
      throw new UserError(`cannot find toxic-bert: ${found.tried.join("; ")}. To get it, ${howToGet(dtype)}`);
    }
    folder = downloadedFolder();
    try {
      classify = await classifier(TOXIC_BERT_REPO, {
        ...settings,
        revision: TOXIC_BERT_REVISION,
        cache_dir: downloadCache(),
      });
    } catch (error) {
      const cause = error instanceof Error && error.cause !== undefined ? ` (${inOneLine(error.cause)})` : "";
      throw new UserError(
        `cannot find toxic-bert: ${[...found.tried, `the download failed: ${inOneLine(error)}${cause}`].join("; ")}. ` +
          `To get it, ${howToGet(dtype)}`,
      );
    }
  }
  check(classify, folder);
  const identity = `toxic-bert:${await checksumOfModel(folder, dtype)}`;
  return new CachedSource(
    new ToxicBertModel(classify, identity, batch),
    options.cacheFolder === undefined ? {} : { folder: options.cacheFolder },
  );
}
