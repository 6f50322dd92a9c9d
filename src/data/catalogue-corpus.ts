import type { CatalogueEntry } from "./entries.js";

/*
 * Texts that the lab model learns from, and nothing else reads: gzip-compressed JSON Lines, {text}. They were selected
 * and cleaned from their origins, each at the commit that is named, so they come from a mirror only.
 */

interface CorpusFile {
  name: string;
  description: string;
  rows: number;
  bytes: number;
  sha256: string;
  origin: string;
  licence: string;
}

function corpus({ name, description, rows, bytes, sha256, origin, licence }: CorpusFile): CatalogueEntry {
  const file = `${name}.jsonl.gz`;
  return {
    name: `corpus-${name}`,
    kind: "dataset",
    layout: "file",
    description: `${description}, to train the lab model on, {text}`,
    licence,
    origin,
    rows,
    files: [{ name: file, bytes, sha256 }],
    sources: { mirror: `corpus/${file}` },
  };
}

/** In the order in which the corpus is made of them. */
export const corpusCatalogue: readonly CatalogueEntry[] = [
  corpus({
    name: "chat-topical",
    description: "polite small talk about facts",
    rows: 1_694,
    bytes: 1_339_722,
    sha256: "5fab19ddc322c5bc4450bd0b2647943e09186d89acc5e9dea8eac636a06b8ce4",
    origin: "alexa/Topical-Chat at 7c939229cbcf",
    licence: "CDLA-Sharing-1.0 (DATALICENSE)",
  }),
  corpus({
    name: "classic-books-1",
    description: "fiction and essays, mostly 1780-1930",
    rows: 2_817,
    bytes: 7_365_849,
    sha256: "721381bb9f78e4ad47d351d7c998d9187e5f948f9a1d9161661269d788981830",
    origin: "mlschmitt/classic-books-markdown at 944882722e9a",
    licence: "public domain (repository README)",
  }),
  corpus({
    name: "classic-books-2",
    description: "more fiction and essays, mostly 1780-1930",
    rows: 2_756,
    bytes: 7_242_375,
    sha256: "0f98dfd371481fc0522a25aa808eea80ac48b3257c3ae82459bfccf214ca0766",
    origin: "mlschmitt/classic-books-markdown at 944882722e9a",
    licence: "public domain (repository README)",
  }),
  corpus({
    name: "comments-edos",
    description: "Reddit and Gab comments, a quarter of them sexist",
    rows: 18_039,
    bytes: 1_063_203,
    sha256: "b4abf33e2f9f5cfb164b0a2e5d4243f897b9e3616588cf7e60f68cd800cf3081",
    origin: "rewire-online/edos at b1f1fbcca9d4",
    licence: "CC0 1.0 (repository LICENSE)",
  }),
  corpus({
    name: "comments-stormfront",
    description: "posts of a white-supremacist forum",
    rows: 4_905,
    bytes: 391_742,
    sha256: "1b1b3effe5fddcca301075df8994556e44d89883196b8e590061ef70655d23b8",
    origin: "Vicomtech/hate-speech-dataset at b802137e8314",
    licence: "CC BY-SA 3.0 ES",
  }),
  corpus({
    name: "comments-toxic-spans",
    description: "toxic comments on news",
    rows: 13_643,
    bytes: 1_315_757,
    sha256: "23d857bacdf6c4a7d41376d31f9eecda64773fe88b670b9ae22db6c9ec3d738c",
    origin: "ipavlopoulos/toxic_spans at beaf170538df",
    licence: "CC0 1.0 (repository LICENSE; text from Civil Comments)",
  }),
  corpus({
    name: "imdb-reviews",
    description: "film reviews of viewers",
    rows: 8_619,
    bytes: 4_426_881,
    sha256: "b2f256f29930df18de0e0157a93ea88b2e991b274934558417d3400e9d6b5d04",
    origin: "PVidyadhar/Detection-of-Fraud-apps-using-Sentiment-Analysis at 81406d56e9c0",
    licence: "none stated in the repository; Large Movie Review Dataset (Maas et al. 2011), public research data",
  }),
  corpus({
    name: "medquad",
    description: "questions and answers on health",
    rows: 4_859,
    bytes: 1_806_747,
    sha256: "dafa4d6e517065c4ffdd22cd560258b29e8eff43b6ba6afcc1b3f78f52e72a29",
    origin: "abachaa/MedQuAD at 577bd37b96c0",
    licence: "CC BY 4.0",
  }),
  corpus({
    name: "newsgroups",
    description: "newsgroup arguments of 1993",
    rows: 9_098,
    bytes: 3_763_371,
    sha256: "cb7dff3a14228b54b15ee619e4f685725d0ca6f300c3537a16634c9e65693212",
    origin: "spoddutur/spark-ml-dashboard at d95a19293f4c",
    licence: "none stated; 20 Newsgroups, public research data; posts remain their authors'",
  }),
  corpus({
    name: "nltk-movie-reviews",
    description: "film criticism in lower case",
    rows: 877,
    bytes: 1_173_520,
    sha256: "9cb30d429f7ac5bcb8cb751f70a3284d96bdf05e463d9085e781d89b276be7b8",
    origin: "nltk/nltk_data at 5db857e6f7df",
    licence: "CC BY 4.0 (NLTK index)",
  }),
  corpus({
    name: "nltk-prose",
    description: "radio news and speeches",
    rows: 4_005,
    bytes: 2_429_384,
    sha256: "9afff859a9c2d6230a2922b58e57d2e1e638600b0e28546d8c23fb50e384a962",
    origin: "nltk/nltk_data at 5db857e6f7df",
    licence: "state_union, inaugural: public domain; abc: none stated in the NLTK index; pil: \"Distributed with permission\"",
  }),
  corpus({
    name: "podcasts",
    description: "transcripts of talk among programmers",
    rows: 1_072,
    bytes: 2_357_051,
    sha256: "ba4051c6c3e0c4aa793f339875e39dc3b262fcd16a3f09c096a9b5b3f706f7fc",
    origin: "thechangelog/transcripts at 44a0e16c5919",
    licence: "CC BY-SA 4.0",
  }),
  corpus({
    name: "reddit-comments",
    description: "Reddit comment threads",
    rows: 27_327,
    bytes: 2_261_819,
    sha256: "7682ee0adefa04387e4e44bcf5600d1650d4ebb21a76ecfe2a99e9217cc1444e",
    origin: "ElegantDalek/RedditTwitterLinguisticsData, tianrannn/BT4222_Toxic-Comment-Project, rbose99/CZ4034-Information-Retrieval, bthiban/sentimental-analysis, linanqiu/reddit-dataset at e981b5ca54d0",
    licence: "none stated in four of the five repositories, MIT in linanqiu/reddit-dataset; comments remain their authors'",
  }),
  corpus({
    name: "reddit-general-1",
    description: "Reddit posts on hobbies and for help",
    rows: 21_719,
    bytes: 7_386_439,
    sha256: "c86397ca1daaeb6dad665698699cd3671bc12040fc5d91119d52094eb686b13a",
    origin: "umbrae/reddit-top-2.5-million at d0efcade504b",
    licence: "PDDL 1.0 as the repository states it (posts remain their Reddit authors')",
  }),
  corpus({
    name: "reddit-general-2",
    description: "more Reddit posts on hobbies and for help",
    rows: 22_181,
    bytes: 7_387_279,
    sha256: "5e0820a4741940310d4dca1b7afbd353ae26a108c8c9342f90350f137b35d6e9",
    origin: "umbrae/reddit-top-2.5-million at d0efcade504b",
    licence: "PDDL 1.0 as the repository states it (posts remain their Reddit authors')",
  }),
  corpus({
    name: "reddit-talk",
    description: "long Reddit posts, informal prose that swears at times",
    rows: 21_938,
    bytes: 12_136_392,
    sha256: "d523329f571c2d64a902c64c4247f7dc322f0fbeba086192205ad76cb32d731f",
    origin: "umbrae/reddit-top-2.5-million at d0efcade504b",
    licence: "PDDL 1.0 as the repository states it (posts remain their Reddit authors')",
  }),
  corpus({
    name: "reddit-titles",
    description: "Reddit headlines of one line",
    rows: 26_491,
    bytes: 1_039_986,
    sha256: "d97919852686472a17a2537f8e5f17ff31faced49880e4a15b978eed4e71f0c6",
    origin: "umbrae/reddit-top-2.5-million at d0efcade504b",
    licence: "PDDL 1.0 as the repository states it (posts remain their Reddit authors')",
  }),
  corpus({
    name: "tweets-davidson",
    description: "profane tweets",
    rows: 17_028,
    bytes: 630_491,
    sha256: "c961f8c102519ee8ec9dbef1e6b65bbfdaf7b47f619738445e40311725f0579c",
    origin: "t-davidson/hate-speech-and-offensive-language at cb50f7e9eb85",
    licence: "MIT (repository); tweets remain their authors'",
  }),
  corpus({
    name: "tweets-olid",
    description: "political tweets, a third of them offensive",
    rows: 10_702,
    bytes: 633_443,
    sha256: "cc79cd1e8496601d2e22975798a0f9353b48165d547930a7c3e3e1bfb6534411",
    origin: "idontflow/OLID at 66fa62b22d57",
    licence: "none stated in the repository; public research data (Zampieri et al. 2019, OffensEval); tweets remain their authors'",
  }),
  corpus({
    name: "tweets-tweeteval",
    description: "tweets of mixed tone",
    rows: 44_216,
    bytes: 1_841_364,
    sha256: "84cca323fa28019f9bc768c9da48be75f3176fc138168dac526cd3182d572b89",
    origin: "cardiffnlp/tweeteval at 4fbd22cd7842",
    licence: "\"released without any restrictions but restrictions may apply to individual tasks ... or Twitter\" (README)",
  }),
  corpus({
    name: "web-treebanks",
    description: "weblogs, reviews, answers, interviews",
    rows: 1_266,
    bytes: 761_865,
    sha256: "0f49371ba0c0f3c1bb436006d7c066878f0db6321593919d21af3c0655ffcf8a",
    origin: "UniversalDependencies/UD_English-EWT, amir-zeldes/gum at 15d613d8447b",
    licence: "CC BY-SA 4.0 (EWT); GUM: Creative Commons licences text by text (BY, BY-SA, some BY-NC-SA), see its LICENSE.txt",
  }),
  corpus({
    name: "wikipedia",
    description: "encyclopaedic prose",
    rows: 4_649,
    bytes: 9_887_614,
    sha256: "160a15fd8632d8fd41313e62b6c9a9808d87b9462dc96608ccb29ff738596036",
    origin: "jason-feng/wikiVisual at 1c0fac92f29f",
    licence: "CC BY-SA 3.0 (Wikipedia text; the repository's GPL-3.0 covers its code)",
  }),
];
