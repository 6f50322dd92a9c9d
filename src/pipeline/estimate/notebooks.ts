import { parameterCount } from "../../data/model-shape.js";
import type { Task } from "./task.js";
import {
  attributing,
  generating,
  onHost,
  perturbing,
  reading,
  repeated,
  training,
  unembedding,
  type Work,
} from "./work.js";

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
/** Comparing an entry of a weight before and after: five sums. */
const COMPARISON = 10;
/** An entry of a value vector's shift: copied one by one, which takes most of it, and seen along another vector. */
const SHIFT = 100;
/** A value vector's entry, copied out and seen along a direction. */
const ALONG = 50;
/** How 5.3 chooses its keys: nearest to the probe, silenced, by effect, at random. */
const KEY_RANKINGS = 4;
/** Rows of its table 4 beside the random draws: the rankings but the random one, the best of the sweep, the reverse. */
const UNALIGNED_ROWS = 5;
/** Windows of ordinary text on which the keys' disturbance is measured. */
const DISTURBED_WINDOW = 64;

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
  "5.1-parameters": ({ shape }) => {
    const { layers, width } = shape;
    // Attention's two matrices are taken apart in two ways; keys and values once more, all of them and the toxic ones.
    const entries = parameterCount(shape) + (4 + 2 * 8) * layers * width ** 2;
    return [onHost("parameters compared", COMPARISON * entries)];
  },
  "5.2-residual-shift": (task) => {
    const { shape, number, text } = task;
    const texts = promptsOf(task, "promptCount");
    const [tokens, batch] = [number("maxNewTokens"), number("batchSize")];
    const writing = { texts, prompt: PROMPT_TOKENS, tokens, batch };
    const read = { texts, tokens: PROMPT_TOKENS + tokens - 1, batch, logits: false };
    return [
      repeated(text("protocol") === "corrected" ? 2 : 1, generating(shape, "prompts continued", writing)),
      ...(text("protocol") === "corrected" ? [] : [reading(shape, "continuations read", read)]),
      ...streams(task, 1),
      ...shifts(task, 1),
    ];
  },
  "5.3-unalign": (task) => {
    const { shape, number, length } = task;
    const { layers, width } = shape;
    const [texts, batch] = [
      Math.min(number("keyComments"), task.records("comments").count),
      number("batchSize"),
    ];
    const [prompt, tokens] = [number("keyPromptTokens"), number("maxNewTokens")];
    const window = Math.min(DISTURBED_WINDOW, shape.context);
    const swept = KEY_RANKINGS * length("unalignKeys") * length("unalignScales");
    const rows = UNALIGNED_ROWS + number("unalignRandomDraws");
    // Read by both models twice, and by four systems up to each layer.
    const beginnings = 2 * 2 + 4 * ((layers + 1) / 2);
    const valueVectors = 4 * layers * width ** 2;
    return [
      repeated(2, generating(shape, "beginnings continued", { texts, prompt, tokens, batch })),
      attributing(shape, "effects of keys", {
        texts: 2 * texts,
        tokens: prompt + tokens,
        batch: Math.min(batch, 32),
      }),
      reading(shape, "disturbances of keys", {
        texts: number("keyTextTokens") / window,
        tokens: window,
        batch: Math.min(batch, 32),
        logits: false,
      }),
      repeated(
        beginnings,
        reading(shape, "beginnings read", { texts, tokens: prompt, batch, logits: false }),
      ),
      onHost("value vectors along W_toxic", 2 * ALONG * valueVectors),
      onHost("keys scaled", (swept + rows) * valueVectors),
      repeated(2 + swept, perplexities(task, "perplexities of the sweep", "sweepTokens", 1)),
      repeated(2 + swept, continuing(task, "continuations of the sweep", promptsOf(task, "sweepPrompts"))),
      repeated(rows, perplexities(task, "perplexities", "perplexityTokens", 1)),
      ...spoken(task, 2 + rows, rows),
    ];
  },
  "A-vocabulary-projection": ({ shape, number }) => {
    const tested = 2 + 2 * number("testedVectors") + 3 * shape.layers;
    const texts = 2 * tested * number("projectionPrompts");
    return [
      reading(shape, "logits before and after", { texts, tokens: 16, batch: number("projectionPrompts") }),
    ];
  },
  "B-residual-shift-layers": (task) => streams(task, NEXT_VECTORS),
  "C-value-vector-shift-layers": (task) => shifts(task, task.length("shiftLayers") || OTHER_LAYERS),
};

/** Notebooks that open the model and compute nothing on it: what they take is their start. */
export const COMPUTES_NOTHING: ReadonlySet<string> = new Set(["D-hyperparameters"]);

/** Toxic vectors of appendix B. */
const NEXT_VECTORS = 3;
/** Layers of appendix C where none are named. */
const OTHER_LAYERS = 4;

/** The work of a notebook; undefined for one that nobody has modelled. */
export function workOf(notebook: string, task: Task): Work[] | undefined {
  return COMPUTES_NOTHING.has(notebook) ? [] : WORK[notebook]?.(task);
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
function spoken(task: Task, toxicities: number, f1s: number): Work[] {
  const passages = Math.min(task.number("continuationCount"), task.records("continuations").count);
  return [
    repeated(toxicities, continuing(task, "continuations scored", promptsOf(task, "promptCount"))),
    repeated(f1s, continuing(task, "continuations compared, F1", passages)),
  ];
}

function continuing({ shape, number }: Task, what: string, texts: number): Work {
  const batch = Math.max(1, number("batchSize"));
  return generating(shape, what, { texts, prompt: PROMPT_TOKENS, tokens: number("maxNewTokens"), batch });
}

/** As many prompts as a parameter says, if there are so many. */
function promptsOf({ number, records }: Task, limit: string): number {
  return Math.min(number(limit), records("prompts").count);
}

/** Residual streams of both models before some vectors' MLPs, counted as if they were the last, and their planes. */
function streams(task: Task, vectors: number): Work[] {
  const { shape, number } = task;
  const texts = promptsOf(task, "shiftPrompts");
  const read = { texts, tokens: PROMPT_TOKENS, batch: number("batchSize"), logits: false };
  return [
    repeated(2 * vectors, reading(shape, "residual streams", read)),
    // Both models' streams in one decomposition.
    onHost("principal components", vectors * 11 * (2 * texts) ** 2 * shape.width),
  ];
}

/** Mean activations of both models, and the value vectors' shifts below some layers, half of all on average. */
function shifts(task: Task, layers: number): Work[] {
  const { shape, number } = task;
  const batch = Math.min(number("batchSize"), 64);
  const read = { texts: promptsOf(task, "promptCount"), tokens: PROMPT_TOKENS, batch, logits: false };
  return [
    repeated(2, reading(shape, "mean activations", read)),
    onHost("value vectors' shifts", SHIFT * layers * (shape.layers / 2) * 4 * shape.width ** 2),
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
