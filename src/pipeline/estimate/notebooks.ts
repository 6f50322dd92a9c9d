import type { ModelShape } from "../../data/model-shape";
import { registry } from "../../data/registry";
import type { EffectiveParameters } from "../parameters";
import { generating, onHost, perturbing, reading, training, unembedding, type Work } from "./work";

/** What a notebook's work follows from. */
export interface Task {
  shape: ModelShape;
  /** A parameter as a number, 0 where it is none. */
  number: (name: string) => number;
  /** A parameter as text, "" where it is none. */
  text: (name: string) => string;
  /** How many elements a list has, 0 where it is none. */
  length: (name: string) => number;
  /** Records of the data set that a parameter names, and tokens of each, at four bytes a token. */
  records: (name: string) => { count: number; tokens: number };
}

/** {@link Task} from the values that a notebook will have. */
export function taskOf(shape: ModelShape, parameters: EffectiveParameters): Task {
  const value = (name: string) => parameters[name]?.value;
  return {
    shape,
    number: (name) => (typeof value(name) === "number" ? (value(name) as number) : 0),
    text: (name) => (typeof value(name) === "string" ? (value(name) as string) : ""),
    length: (name) => (Array.isArray(value(name)) ? (value(name) as unknown[]).length : 0),
    records: (name) => {
      const entry = registry().find((candidate) => candidate.name === value(name));
      if (!entry?.rows) return { count: Infinity, tokens: UNKNOWN_TOKENS };
      return { count: entry.rows, tokens: Math.ceil(entry.bytes / entry.rows / BYTES_PER_TOKEN) };
    },
  };
}

const BYTES_PER_TOKEN = 4;
/** Of a record of a file that the registry does not know. */
const UNKNOWN_TOKENS = 64;
/** The generation protocol keeps so many tokens of a prompt. */
const PROMPT_TOKENS = 32;
/** What a text of a perplexity set has, at most, when the registry does not know it. */
const UNKNOWN_TEXT = 300_000;
/** Searching a direction's scale takes about so many perplexities. */
const SEARCH_STEPS = 4;
/** Windows of eight texts of the model's context are unembedded at once, more or less. */
const WINDOWS_AT_ONCE = 4;
/** Fits of the probe: seven penalties on five folds and the last one, forty iterations of two products each. */
const PROBE_FITS = 36 * 40 * 2 * 2;

/** The work of the notebooks that are modelled, by name; what each measures is told in the notebook. */
const WORK: Readonly<Record<string, (task: Task) => Work[]>> = {
  "2-preliminaries": ({ shape, number }) => [
    reading(shape, "windows taken apart", {
      texts: 2 * number("windowCount"),
      tokens: number("windowLength"),
      batch: number("windowCount"),
    }),
  ],
  "3.1-toxic-vectors": ({ shape, number, records }) => {
    const comments = records("comments");
    const texts = Math.min(number("probeComments"), comments.count);
    const tokens = Math.min(shape.context, comments.tokens);
    return [
      reading(shape, "comments read", { texts, tokens, batch: number("batchSize"), logits: false }),
      onHost("ridge penalties, five folds each", PROBE_FITS * texts * shape.width),
    ];
  },
  "3.2-vocabulary-space": (task) => [decompositions(task)],
  "3.3-interventions": (task) => {
    const { number, length } = task;
    const directions = 4 + number("randomDirectionCount");
    const curves = 3 * length("scaleMultiples");
    return [
      perplexities(task, "scales matched", "scaleTokens", directions * SEARCH_STEPS),
      perplexities(task, "perplexities", "perplexityTokens", 1 + directions + curves),
      ...spoken(task, 1 + directions + curves, 1 + directions),
    ];
  },
  "4.2-pairwise-data": ({ shape, number, text, records }) => {
    const source = text("pairs") === "make" ? records("pairPrompts") : records("pairs");
    const texts = Math.min(number("pairCount"), source.count);
    const tokens = number("pairNewTokens");
    const batch = number("pairBatch");
    const prompt = Math.min(number("pairPromptTokens"), source.tokens);
    const made = [
      generating(shape, "greedy sides", { texts, prompt, tokens, batch }),
      perturbing(shape, "PPLM", { texts, prompt, tokens, batch, iterations: number("pplmIterations") }),
    ];
    const read = { texts: 2 * texts, tokens: prompt + tokens, batch };
    return [...(text("pairs") === "make" ? made : []), reading(shape, "log-probabilities", read)];
  },
  "4.3-dpo": (task) => {
    const { shape, number, records } = task;
    const { all, trained, tokens, evaluations } = dpoRun(task);
    const held = number("dpoValidationSize");
    const sides = 2 * (all + evaluations * held);
    const beginnings = Math.min(number("promptCount"), records("prompts").count);
    // Without prompts of its own the lens takes those that are continued with the word, about one in ten.
    const own = records("lensPrompts").count;
    const lens = Number.isFinite(own) ? own : Math.ceil(beginnings / 10);
    return [
      reading(shape, "reference, and held-out pairs", { texts: sides, tokens, batch: 64 }),
      training(shape, "DPO", { pairs: trained, tokens, batch: number("dpoBatch") }),
      perplexities(task, "perplexity", "perplexityTokens", 1),
      ...spoken(task, 1, 1),
      reading(shape, "prompts' next tokens", {
        texts: beginnings,
        tokens: PROMPT_TOKENS,
        batch: number("batchSize"),
      }),
      reading(shape, "logit lens, both models", {
        texts: 2 * lens,
        tokens: PROMPT_TOKENS + 2 * shape.layers,
        batch: 32,
      }),
    ];
  },
  "A-vocabulary-projection": ({ shape, number }) => {
    const tested = 2 + 2 * number("testedVectors") + 3 * shape.layers;
    const texts = 2 * tested * number("projectionPrompts");
    return [
      reading(shape, "logits before and after", { texts, tokens: 16, batch: number("projectionPrompts") }),
    ];
  },
};

/** The work of a notebook; undefined for one that nobody has modelled. */
export function workOf(notebook: string, task: Task): Work[] | undefined {
  return WORK[notebook]?.(task);
}

/** One decomposition of the stacked vectors and one for each alternative number: 11 n² d operations each. */
function decompositions({ shape, number, length }: Task): Work {
  const each = 11 * number("svdVectors") ** 2 * shape.width;
  return onHost("singular value decompositions", each * (1 + length("svdAlternatives") / 2));
}

function perplexities({ shape, number, records }: Task, what: string, limit: string, times: number): Work {
  const { count, tokens } = records("perplexityText");
  const whole = Number.isFinite(count) ? count * tokens : UNKNOWN_TEXT;
  const measured = Math.min(number(limit), number("perplexityTokens"), whole);
  return unembedding(shape, what, { tokens: measured, times, window: shape.context * WINDOWS_AT_ONCE });
}

/** Continuations of the prompts for `toxicities` systems, and of the passages for `f1s` of them. */
function spoken({ shape, number, records }: Task, toxicities: number, f1s: number): Work[] {
  const batch = Math.max(1, number("batchSize"));
  const tokens = number("maxNewTokens");
  const texts = (count: string, of: string) => Math.min(number(count), records(of).count);
  const many = (times: number, work: Work): Work => ({
    ...work,
    flops: times * work.flops,
    passes: times * work.passes,
  });
  return [
    many(
      toxicities,
      generating(shape, "continuations scored", {
        texts: texts("promptCount", "prompts"),
        prompt: PROMPT_TOKENS,
        tokens,
        batch,
      }),
    ),
    many(
      f1s,
      generating(shape, "continuations compared, F1", {
        texts: texts("continuationCount", "continuations"),
        prompt: PROMPT_TOKENS,
        tokens,
        batch,
      }),
    ),
  ];
}

/**
 * How long DPO trains is known only afterwards. Assumed: 1,500 steps at a rate of 1e-6, as in the paper, and fewer in
 * proportion at a higher rate; at most every epoch.
 */
function dpoRun({ number, records }: Task): {
  all: number;
  trained: number;
  tokens: number;
  evaluations: number;
} {
  const all = Math.min(number("pairCount") || ASSUMED_PAIRS, records("pairPrompts").count);
  const most = Math.max(0, all - number("dpoValidationSize")) * number("dpoEpochs");
  const every = Math.max(1, number("dpoEvaluateEvery"));
  const needed = (1_500 * 1e-6 * number("dpoBatch")) / (number("dpoLearningRate") || 1e-6);
  const trained = Math.min(most, needed);
  const prompt = Math.min(
    number("dpoPromptTokens"),
    number("pairPromptTokens") || Infinity,
    records("pairPrompts").tokens,
  );
  const tokens = prompt + Math.min(number("dpoNewTokens"), number("pairNewTokens") || Infinity);
  return { all, trained, tokens, evaluations: trained / every };
}

/** Pairs of a set whose size no parameter says. */
const ASSUMED_PAIRS = 6_000;
