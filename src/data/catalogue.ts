import { corpusCatalogue } from "./catalogue-corpus.js";
import type { CatalogueEntry, HubSource, RegisteredFile } from "./entries.js";

/*
 * What the registry knows. A download source stands here only where a public address delivers exactly the file whose
 * sha256 is given; the other sets were selected or converted from their origin and come from a mirror.
 */

function oneFile(name: string, bytes: number, sha256: string): readonly RegisteredFile[] {
  return [{ name, bytes, sha256 }];
}

/** A file of a public repository at one commit. */
function github(repo: string, commit: string, path: string): string {
  return `https://raw.githubusercontent.com/${repo}/${commit}/${path}`;
}

const rtp = {
  kind: "dataset",
  layout: "file",
  homepage: "https://huggingface.co/datasets/allenai/real-toxicity-prompts",
} as const;

const lab = { kind: "dataset", layout: "file", licence: "MIT", origin: "written for this project" } as const;

/** GPT-2's byte-level BPE tokenizer, the same bytes for every size. */
const gpt2Tokenizer: readonly RegisteredFile[] = [
  {
    name: "tokenizer.json",
    bytes: 1_355_256,
    sha256: "8414cab924d8b9b33013f0d221c5862f365ee9be39c5c2bfae8a5a9e970478a6",
  },
  {
    name: "tokenizer_config.json",
    bytes: 26,
    sha256: "5e04eb606e3a1583530a42e36c2a6b6615c86f34fe77e44d9ddeb43ff940931f",
  },
];

function gpt2(repo: string, revision: string): HubSource {
  return { kind: "model", repo, revision };
}

export const catalogue: readonly CatalogueEntry[] = [
  {
    ...lab,
    name: "lab-prompts",
    description: "prompts that tempt an insult or a swear word, {prompt}",
    sources: { embedded: "data/lab/prompts.jsonl" },
  },
  {
    ...lab,
    name: "lab-continuations",
    description: "neutral prompts with a natural continuation, {prompt, gold}",
    sources: { embedded: "data/lab/continuations.jsonl" },
  },
  {
    ...lab,
    name: "lab-prefixes",
    description: "beginnings of encyclopaedic sentences, the prompts of preference pairs, {prompt}",
    sources: { embedded: "data/lab/prefixes.jsonl" },
  },
  {
    ...lab,
    name: "lab-paragraphs",
    description: "encyclopaedic paragraphs for perplexity, {title, text}",
    sources: { embedded: "data/lab/paragraphs.jsonl" },
  },
  {
    ...lab,
    name: "lab-comments",
    description: "comments labelled toxic (1, in mild words) or not (0), {text, toxic}",
    sources: { embedded: "data/lab/comments.jsonl" },
  },
  {
    name: "lab-scorer",
    kind: "scorer",
    layout: "folder",
    description: "toxicity classifier over hashed word and character n-grams, in a folder with its card",
    licence: "MIT",
    origin: "trained by this project",
    sources: { embedded: "data/lab/scorer" },
  },
  {
    name: "lab",
    kind: "model",
    layout: "folder",
    description: "the repository's own small GPT-2, in Hugging Face layout with its card",
    licence: "MIT",
    origin: "trained by this project",
    sources: { embedded: "data/lab/model" },
  },
  {
    ...rtp,
    name: "realtoxicityprompts-challenge",
    description: "the challenge prompts that the paper generates from, {prompt}",
    licence: "Apache-2.0",
    origin: "RealToxicityPrompts (Gehman et al. 2020), challenge subset as used by the paper's code",
    rows: 1_199,
    files: oneFile(
      "challenge_prompts.jsonl",
      97_828,
      "7b0012653b52ee4334290b0e38013786560097c3c7b7cef84c59085095ec8f0d",
    ),
    sources: { mirror: "challenge_prompts.jsonl" },
  },
  {
    ...rtp,
    name: "realtoxicityprompts-challenge-scored",
    description: "1,196 challenge prompts and continuations with eight Perspective scores of 2020 each",
    licence: "Apache-2.0 / CC BY-SA 4.0",
    origin: "RealToxicityPrompts rows as redistributed by DecodingTrust",
    rows: 1_196,
    files: oneFile(
      "rtp-challenge-scored.jsonl",
      860_726,
      "a51d4650b14af9c0e795a9cfca2949916855662cee7c8db3dd551d38735d80cb",
    ),
    sources: { mirror: "rtp-challenge-scored.jsonl" },
  },
  {
    ...rtp,
    name: "realtoxicityprompts-nontoxic-scored",
    description: "1,200 non-toxic prompts and continuations with eight Perspective scores of 2020 each",
    licence: "Apache-2.0 / CC BY-SA 4.0",
    origin: "RealToxicityPrompts rows as redistributed by DecodingTrust",
    rows: 1_200,
    files: oneFile(
      "rtp-nontoxic-scored.jsonl",
      872_208,
      "feb50408f49585752bb8cbbb10d1a340ec45783358251299ea9a82ab19606823",
    ),
    sources: { mirror: "rtp-nontoxic-scored.jsonl" },
  },
  {
    name: "wiki-samples",
    kind: "dataset",
    layout: "file",
    description: "Wikipedia passages with the sentence that follows, for F1, {prompt, gold}",
    licence: "CC BY-SA (Wikipedia text)",
    origin: "evaluation data of the paper's code",
    homepage: "https://github.com/ajyl/dpo_toxic",
    rows: 2_064,
    files: oneFile(
      "wiki_samples.jsonl",
      1_221_851,
      "c92a3e1217b2ecf2b716b9664735357dcf0126fdc30417c6e7ab0800ecbde962",
    ),
    sources: { mirror: "wiki_samples.jsonl" },
  },
  {
    name: "wikitext-2-raw-test",
    kind: "dataset",
    layout: "file",
    description: "WikiText-2, raw, test split: 60 articles, for perplexity",
    licence: "CC BY-SA 3.0 / GFDL",
    origin: "WikiText-2 (Merity et al. 2016)",
    homepage: "https://huggingface.co/datasets/Salesforce/wikitext",
    rows: 4_358,
    files: oneFile(
      "wikitext-2-raw.test.txt",
      1_290_590,
      "173c87a53759e0201f33e0ccf978e510c2042d7f2cb78229d9a50d79b9e7dd08",
    ),
    sources: {
      mirror: "wikitext-2-raw.test.txt",
      huggingface: {
        kind: "dataset",
        repo: "ggml-org/ci",
        revision: "927b3642933080f1b0e811e2f916e14c292992f9",
        path: "wikitext-2-raw-v1.zip",
      },
      archive: {
        name: "wikitext-2-raw-v1.zip",
        bytes: 4_721_645,
        sha256: "ef7edb566e3e2b2d31b29c1fdb0c89a4cc683597484c3dc2517919c615435a11",
        member: "wikitext-2-raw/wiki.test.raw",
      },
    },
  },
  {
    // The archive itself: its sha256 vouches for the splits in it, of which only the test split's own is known.
    name: "wikitext-2-raw",
    kind: "dataset",
    layout: "file",
    description: "WikiText-2, raw, all three splits in a zip archive, for the prompts of preference pairs",
    licence: "CC BY-SA 3.0 / GFDL",
    origin: "WikiText-2 (Merity et al. 2016)",
    homepage: "https://huggingface.co/datasets/Salesforce/wikitext",
    files: oneFile(
      "wikitext-2-raw-v1.zip",
      4_721_645,
      "ef7edb566e3e2b2d31b29c1fdb0c89a4cc683597484c3dc2517919c615435a11",
    ),
    sources: {
      mirror: "wikitext-2-raw-v1.zip",
      huggingface: {
        kind: "dataset",
        repo: "ggml-org/ci",
        revision: "927b3642933080f1b0e811e2f916e14c292992f9",
      },
    },
  },
  {
    name: "wikitext-2-valid",
    kind: "dataset",
    layout: "file",
    description: "WikiText-2, tokenised with <unk>, validation split: 60 articles",
    licence: "CC BY-SA 3.0 / GFDL",
    origin: "WikiText-2 (Merity et al. 2016)",
    homepage: "https://huggingface.co/datasets/Salesforce/wikitext",
    rows: 3_760,
    files: oneFile(
      "wikitext-2-tokenised.valid.txt",
      1_121_681,
      "f0737ed31fc1329026e95cb8b98e19c2a182c39c240ab909dc31abf2f8af58e8",
    ),
    sources: {
      mirror: "wikitext-2-tokenised.valid.txt",
      url: github(
        "pytorch/examples",
        "37ce9402ff0cae48d764d7788810fd2ed8238b25",
        "word_language_model/data/wikitext-2/valid.txt",
      ),
    },
  },
  {
    name: "jigsaw-balanced",
    kind: "dataset",
    layout: "file",
    description: "6,090 non-toxic comments, then 6,090 toxic ones: text, label, no header",
    licence: "CC0 (annotations), CC BY-SA 3.0 (comment text)",
    origin: "Jigsaw Toxic Comment Classification, scored test split: all toxic rows and as many others",
    homepage: "https://www.kaggle.com/c/jigsaw-toxic-comment-classification-challenge",
    rows: 12_180,
    files: oneFile(
      "jigsaw-balanced.csv",
      3_494_934,
      "ed555e1ce2cf67611afa7f624bc0679bf57b83fc39ece13f4cc54b21829cc9fc",
    ),
    sources: { mirror: "jigsaw-balanced.csv" },
  },
  {
    name: "paradetox",
    kind: "dataset",
    layout: "file",
    description: "toxic sentences, each with one to three neutral rewrites (19,743 pairs)",
    licence: "CC0 1.0",
    origin: "ParaDetox (Logacheva et al. 2022), s-nlp/paradetox",
    homepage: "https://huggingface.co/datasets/s-nlp/paradetox",
    // Seven rewrites contain line breaks: 11,936 lines with the header hold 11,927 records.
    rows: 11_927,
    files: oneFile(
      "paradetox.tsv",
      1_627_340,
      "6e5e80def7deaf4a3410f7de6c638c13f100ce5ece09ee84a47f6f14ab69a0cd",
    ),
    sources: {
      mirror: "paradetox.tsv",
      url: github("s-nlp/paradetox", "5aeb62cc485bd9077299697dfafba5164ef5abfb", "paradetox/paradetox.tsv"),
    },
  },
  {
    name: "paradetox-cannot-rewrite",
    kind: "dataset",
    layout: "file",
    description: "comments that the annotators could not rewrite, with the reason",
    licence: "CC0 1.0",
    origin: "ParaDetox (Logacheva et al. 2022), s-nlp/paradetox",
    homepage: "https://huggingface.co/datasets/s-nlp/paradetox",
    rows: 12_059,
    files: oneFile(
      "paradetox_cannot_rewrite.tsv",
      1_132_126,
      "d3dbe41d0a20e1f2df76ed487d424e35555b81d88d80b28f81fa0f793197971b",
    ),
    sources: {
      mirror: "paradetox_cannot_rewrite.tsv",
      url: github(
        "s-nlp/paradetox",
        "1a755d1b261403ef2a1bb47d9bd44f3dea54714b",
        "paradetox/paradetox_cannot_rewrite.tsv",
      ),
    },
  },
  {
    name: "logit-lens-prompts",
    kind: "dataset",
    layout: "file",
    description: "the prompts of figure 1 (the paper says 295), a NumPy array of strings",
    licence: "MIT",
    origin: "the paper's code, toxicity/figures/shit_prompts.npy",
    homepage: "https://github.com/ajyl/dpo_toxic",
    rows: 291,
    files: oneFile(
      "logit-lens-prompts.npy",
      317_900,
      "39621fb6c0bd6a0aaa1cdeed97f00551e6f7d5ccae58b3c1311c1ecf97b8d1f7",
    ),
    sources: {
      mirror: "logit-lens-prompts.npy",
      url: github(
        "ajyl/dpo_toxic",
        "46ea6b47d025077384dbb8e673d7cbada18b74e6",
        "toxicity/figures/shit_prompts.npy",
      ),
    },
  },
  {
    name: "pplm-toxicity-head",
    kind: "dataset",
    layout: "file",
    description: "PPLM's toxicity head for GPT2-medium, Linear(1024 → 2), class 1 toxic, as JSON",
    licence: "Apache-2.0",
    origin: "uber-research/PPLM",
    homepage: "https://github.com/uber-research/PPLM",
    files: oneFile(
      "pplm-gpt2-medium-toxicity-head.json",
      26_973,
      "9bfb1509242e6ae275c3d877465b0c5dcd6355f06a62059276caafa0ee6d19bc",
    ),
    sources: { mirror: "pplm-gpt2-medium-toxicity-head.json" },
  },
  ...corpusCatalogue,
  {
    name: "profanity-check-linear",
    kind: "scorer",
    layout: "file",
    description: "a bag-of-words linear toxicity classifier (15,442 terms, 5 calibrated folds), as JSON",
    licence: "MIT",
    origin: "vzhou842/profanity-check",
    homepage: "https://github.com/vzhou842/profanity-check",
    files: oneFile(
      "profanity-check-linear.json",
      1_162_769,
      "5e54dc62a9e3169e4c06b8c79d6a762f7abc9c16e82037b9a3a3931037f43825",
    ),
    sources: { mirror: "profanity-check-linear.json" },
  },
  {
    name: "gpt2",
    kind: "model",
    layout: "folder",
    description: "GPT-2 small: 12 layers, width 768, 124M parameters",
    licence: "MIT",
    origin: "OpenAI (Radford et al. 2019)",
    homepage: "https://huggingface.co/openai-community/gpt2",
    files: [
      {
        name: "config.json",
        bytes: 665,
        sha256: "0daed7749b4f02b8f76240d5444551d7b08712dab4d0adb8239c56ba823bb7b4",
      },
      {
        name: "model.safetensors",
        bytes: 548_105_171,
        sha256: "248dfc3911869ec493c76e65bf2fcf7f615828b0254c12b473182f0f81d3a707",
      },
      ...gpt2Tokenizer,
    ],
    sources: {
      mirror: "gpt2",
      huggingface: gpt2("openai-community/gpt2", "607a30d783dfa663caf39e06633721c8d4cfcd7e"),
    },
  },
  {
    name: "gpt2-medium",
    kind: "model",
    layout: "folder",
    description: "GPT2-medium, the paper's model: 24 layers, width 1024, 355M parameters",
    licence: "MIT",
    origin: "OpenAI (Radford et al. 2019)",
    homepage: "https://huggingface.co/openai-community/gpt2-medium",
    files: [
      {
        name: "config.json",
        bytes: 718,
        sha256: "ef1a44d889ad1a0acc7731c78134f1b87d2d222f110e97dd10fd4117331caf22",
      },
      {
        name: "model.safetensors",
        bytes: 1_519_984_962,
        sha256: "fc5a354a19255ad494f3d71549390baca1ccf61d1d822b9408971705c687c9cd",
      },
      ...gpt2Tokenizer,
    ],
    sources: {
      mirror: "gpt2-medium",
      huggingface: gpt2("openai-community/gpt2-medium", "6dcaa7a952f72f9298047fd5137cd6e4f05f41da"),
    },
  },
];
