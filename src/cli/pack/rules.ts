/*
 * Which files of the packages the pack leaves out, and why. A path is relative to the project, with `/` between folders.
 * A package's main module is kept whatever they say. test/cli/pack/ holds the rules against what commands and notebooks load, and each against the tree: a rule that drops nothing
 * has to go.
 */

/** Files that are left out. */
export interface Rule {
  /** Matches the paths that are dropped. */
  drop: RegExp;
  /** Except these. */
  unless?: RegExp;
  reason: string;
}

/** The words by which packages name what is built for other machines than 64-bit Linux with glibc. */
const ELSEWHERE =
  "darwin|macos|win32|windows|android|freebsd|openbsd|musl|musl[-_][^/]*|linux-arm64|arm64|ia32|armhf";

/** What the site's pages carry along for readers' browsers: src/site/assets.ts copies it. */
const FOR_PAGES =
  /^node_modules\/(vega\/build\/vega\.min\.js|vega-lite\/build\/vega-lite\.min\.js|vega-embed\/build\/vega-embed\.min\.js|minisearch\/dist\/umd\/index\.js|katex\/dist\/katex\.min\.css)$/;

export const RULES: readonly Rule[] = [
  { drop: /\.map$/, reason: "source maps are for debuggers" },
  {
    drop: /\.(md|markdown|html|yml|yaml|ya?ml|flow|coffee|svg|png|gif|jpg)$/i,
    unless: /licen[cs]e|notice|copying/i,
    reason: "read by people and tools, not when a program runs; licences stay",
  },
  {
    drop: /node_modules\/(@[^/]+\/)?[^/]+\/(test|tests|__tests__|examples?|docs?|benchmarks?|demo|\.github|man)\//,
    unless: /\/@types\//,
    reason: "a package's own tests, examples and documentation",
  },
  { drop: /_test\.(js|d\.ts)$/, reason: "TensorFlow.js ships its tests between its sources" },
  {
    drop: /\.min\.(js|cjs|mjs|css)$|\.umd\.js$|\/(umd|browser|iife|bundles)\/|\.iife\.js$|\.web\.(m?js|cjs)$/,
    unless: FOR_PAGES,
    reason: "bundles for browsers; Node takes the others, and pages some of these",
  },
  {
    drop: new RegExp(`/(${ELSEWHERE}|darwin-[^/]*|win32-[^/]*)/`),
    reason: "native code for other machines",
  },
  {
    drop: /\.(c|cc|cpp|h|hpp|hh|gyp|gypi|cmake|o|a|obj|lib|dll|dylib)$|\/(CMakeLists\.txt|Makefile|binding\.gyp)$/,
    reason: "what native modules are built from, or are elsewhere",
  },
  {
    drop: /\.[cm]?tsx?$/,
    unless: /\.d\.[cm]?ts$/,
    reason:
      "TypeScript sources beside what they compile to; declarations stay, cells are checked against them",
  },
  {
    drop: /^node_modules\/@tensorflow\/[^/]+\/(src|wasm-out|scripts|.*\.bazel)|^node_modules\/@tensorflow\/.*\.js$/,
    unless: /\.node\.js$/,
    reason:
      "each package is rolled up in one *.node.js for Node; the modules it was made of are for bundlers",
  },
  {
    drop: /^node_modules\/@tensorflow\/[^/]+\/dist\/.*\.wasm$/,
    unless: /tfjs-backend-wasm-simd\.wasm$/,
    reason:
      "every 64-bit processor that Node 20 runs on has the instructions of the SIMD variant; threads are off",
  },
  {
    drop: /^node_modules\/typescript\/lib\/([a-z]{2}(-[a-zA-Z]+)?\/|_?tsc|_?tsserver|_?typingsInstaller|tsserverlibrary|typescriptServices)/,
    reason:
      "TypeScript as a program and an editor's server, and its messages in other languages: the kernel uses the library",
  },
  {
    drop: /^node_modules\/typescript\/lib\/(?!lib\.)[^/]*\.d\.ts$/,
    reason: "cells are checked against TypeScript's library declarations, not against its own API",
  },
  {
    drop: /^node_modules\/tslab\/(bin\/|python\/|dist\/(main|executor|metadata)\.)/,
    reason: "tslab's own kernel: cells use its API, which the project's kernel answers",
  },
  {
    drop: /^node_modules\/wabt\/bin\//,
    reason: "wabt's programs; the backend wasm assembles its kernels with the library",
  },
  {
    drop: /^node_modules\/zeromq\/(build\/(?!linux\/)|build\/linux\/x64\/node\/(?!glibc-127-Release\/)|src\/|script\/|lib\/ts3\.7\/)/,
    unless: /manifest\.json$/,
    reason:
      "ZeroMQ's binding is there once per system and Node version; Node 20 to 24 on Linux load this one",
  },
  {
    drop: /^node_modules\/cmake-ts\/build\/(main|lib|utils)\b/,
    reason: "builds native modules; at run time only its loader is used",
  },
  {
    drop: /^node_modules\/mathjs\/lib\/(esm|browser)\//,
    reason: "danfojs requires the CommonJS build",
  },
  {
    drop: /^node_modules\/(xlsx|@e965\/xlsx)\/(dist\/(?!cpexcel\.js)|bits\/|.*\.mjs)/,
    reason: "danfojs requires xlsx.js, which requires the code pages",
  },
  {
    drop: /^node_modules\/dejavu-fonts-ttf\/(?!ttf\/DejaVuSans(Mono|-Bold|-Oblique|-BoldOblique)?\.ttf$|package\.json$|LICEN)/,
    reason: "figures are set in DejaVu Sans, and Sans Mono as it stands",
  },
  {
    drop: /^node_modules\/@xenova\/transformers\/(src\/|dist\/(?!transformers\.node\.[mc]js$))/,
    reason: "the library rolled up for Node is all that is loaded",
  },
  {
    drop: /^node_modules\/(vega\/build\/(vega|vega-core)\.js|vega(-lite)?\/build\/vega(-lite)?-schema\.json|shiki\/dist\/onig\.wasm)$/,
    reason: "bundles for other loaders, schemas for editors, and an engine that lies in the package beside",
  },
  {
    drop: /^node_modules\/katex\/(src\/|contrib\/|dist\/contrib\/|dist\/fonts\/.*\.(ttf|woff)$|dist\/.*\.mjs$)/,
    reason: "pages need neither KaTeX's extensions nor its fonts in the forms for older browsers",
  },
  {
    drop: /^node_modules\/(@shikijs\/langs\/dist\/(?!(typescript|javascript)\.)|@shikijs\/themes\/dist\/(?!github-(light|dark)-high-contrast\.)|shiki\/dist\/(langs|themes)\/(?!typescript\.|github-(light|dark)-high-contrast\.))/,
    reason: "pages show TypeScript, in two themes",
  },
  {
    drop: /^node_modules\/koffi\/(vendor|lib\/native|cnoke\.cjs)/,
    reason: "what koffi's native module is built from",
  },
  {
    drop: /^node_modules\/.*\/(package-lock\.json|yarn\.lock|pnpm-lock\.yaml|tsconfig[^/]*\.json|\.eslintrc[^/]*|\.npmignore|\.editorconfig|\.travis\.yml|\.[a-z]+rc(\.[a-z]+)?)$/,
    reason: "settings of a package's own development",
  },
];

/** Packages of which the pack carries a part, with the packages that this part needs: the others are left out. */
export const PARTS: Readonly<Record<string, readonly string[]>> = {
  tslab: ["@tslab/typescript-for-tslab", "semver"],
};

/** Packages of which a stand-in is shipped: it loads, and does what is asked of it here or says what is missing. */
export interface StandIn {
  /** The file below src/cli/pack/carried/ that becomes the package's main module. */
  main: string;
  /** What the stand-in itself needs. */
  dependencies: string[];
  reason: string;
}

export const STAND_INS: Readonly<Record<string, StandIn>> = {
  "@tslab/typescript-for-tslab": {
    main: "typescript-for-tslab.cjs",
    dependencies: ["typescript"],
    reason: "8 MB that tslab's API loads for the compiler's version: cells are compiled by TypeScript itself",
  },
  "onnxruntime-node": {
    main: "onnxruntime-node.cjs",
    dependencies: ["onnxruntime-common"],
    reason: "46 MB that transformers loads and only its models use; the tokenizer is all that is used here",
  },
  sharp: {
    main: "sharp.cjs",
    dependencies: [],
    reason: "19 MB that transformers loads and only images use",
  },
};

/** The rule that leaves a file out, or undefined if it is packed. */
export function ruleFor(path: string, rules: readonly Rule[] = RULES): Rule | undefined {
  return rules.find(({ drop, unless }) => drop.test(path) && !unless?.test(path));
}
