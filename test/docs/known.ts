/**
 * How a command of the documents is held to what it says:
 *
 * - `run`: in a copy of the project, as it stands or with something added that makes it cheap; `exit` where it is not 0,
 *   `shows` what it has to print, `leaves` what it has to write; `as`: this line in its place, which takes less time;
 *   `first`: what makes a file that it reads
 * - `elsewhere`: another test or workflow runs it; the file has to contain `says`
 *
 * Whatever it is, its options are put to the program that would get them.
 */
export type Known =
  | { run: true; with?: string; as?: string; first?: string; exit?: number; shows?: RegExp; leaves?: string }
  | { elsewhere: string; says: string };

const dry = { run: true, with: "--dry-run", shows: /will run|up to date/ } as const;
/** One pass of the small model: what bench prints of it is what it prints of larger ones. */
const BENCH = "npx alignscope bench model --shape lab --repetitions 1 --positions 4 --batch 1 --no-backward";
const ci = (says: string): Known => ({ elsewhere: ".ci/run", says });

/** The copy has run one notebook of the series, that of docs/extending.md: verify says that the others are missing. */
const unfinished: Known = {
  run: true,
  exit: 1,
  shows: /incomplete: 3\.1-toxic-vectors: it has not run through/,
};

/** Every command of a `sh` block, by document, in the order in which they are run. Add a line for a new one. */
export const KNOWN: Record<string, Record<string, Known>> = {
  "README.md": {
    "npm run reproduce": ci("npm run reproduce\n"),
    "npm test": ci("npm test\n"),
    "npm run reproduce -- --profile lab-full": dry,
    "npm run reproduce -- --only 3.3 -p perplexityRatio 1.05 --backend wasm": dry,
    "npm run reproduce -- --dry-run": { run: true, shows: /4\.3-dpo +will run/ },
    "npm run reproduce -- --profile paper --dry-run": { run: true, shows: /Tensors take up to 21 GB/ },
  },
  "docs/ci.md": {
    "npm run lint": ci("npm run lint\n"),
    "npm run docs:api": ci("npm run docs:api\n"),
    "npm run reproduce": ci("npm run reproduce\n"),
    "npm test": ci("npm test\n"),
    "npm run test:slow": ci("npm run test:slow\n"),
    "npm run test:pack": ci("npm run test:pack\n"),
    "npx alignscope verify outputs/lab": unfinished,
    "npx alignscope diff outputs/lab-committed outputs/lab --rtol 1e-3": { run: true, shows: /^equal/m },
    "npm run reproduce -- --dry-run --json": { run: true, shows: /^\{/ },
    "npx alignscope status --json": { run: true, shows: /^[[{]/ },
  },
  "docs/discrepancies.md": {
    "npm run reproduce -- -p protocol corrected --outputs outputs/corrected --dry-run": {
      run: true,
      shows: /protocol +"corrected" +command line/,
    },
    "npx alignscope diff outputs/lab outputs/corrected": { run: true, shows: /^equal/m },
  },
  "docs/doctor.md": {
    "npx alignscope doctor": { run: true, with: "--offline", shows: /The profile lab can run/ },
    "npx alignscope doctor --profile paper": {
      elsewhere: "test/cli/doctor/run.test.ts",
      says: 'profile: "huge"',
    },
    "npx alignscope doctor --offline": { run: true, shows: /^ok +node/m },
    "npx alignscope doctor --json": { run: true, with: "--offline", shows: /^\{/ },
  },
  "docs/extending.md": {
    "npm run reproduce -- --only E": { run: true, leaves: "outputs/lab/figures/value-vector-lengths.svg" },
    "npx alignscope claims": { run: true, shows: /C23 +Later value vectors are longer +holds/ },
    'npm run reproduce -- --only 3.3 -p prompts "$PWD/mine.jsonl" -p promptCount 64': {
      ...dry,
      shows: /prompts +".*mine\.jsonl" +command line/,
    },
    "npx alignscope data verify lab-prompts": { run: true, shows: /lab-prompts/ },
    'npm run reproduce -- --only 2 -p model "$PWD/data/lab/model"': dry,
    "npx alignscope lab build --only model --precision bfloat16 --nice 19": {
      elsewhere: "test/lab/pretrain.slow.ts",
      says: "killed at any moment, it goes on from the last checkpoint",
    },
    "npx alignscope lab build --only model --anneal 300 --out ./my-lab": {
      elsewhere: "test/lab/pretrain.slow.ts",
      says: "a checkpoint is decayed aside",
    },
    "npx alignscope lab gates ./my-model --validation texts.jsonl --layers": {
      elsewhere: "test/lab/gates.slow.ts",
      says: "labGates({ model: COMMITTED",
    },
    'echo "What a silly idea." | npx alignscope score --scorer linear': { run: true, shows: /"score":0\.\d/ },
    "npx alignscope scorers list": { run: true, shows: /linear/ },
    "npx alignscope scorers agreement": { elsewhere: "test/cli/scorers.test.ts", says: '"agreement"' },
  },
  "docs/gpu.md": {
    "npm run setup:cuda": { elsewhere: "test/cli/bootstrap.test.ts", says: '"setup:cuda"' },
    "npm run reproduce -- --profile paper --backend cuda": dry,
    "npm run reproduce -- --profile paper --backend webgpu": dry,
    "npx alignscope plan --profile paper --backend cuda": {
      run: true,
      shows: /Nobody has measured how long the profile paper takes[^]*Tensors take up to 21 GB/,
    },
    "npx alignscope data list": { run: true, shows: /(?=[^]*gpt2-medium)[^]*wikitext-2-raw/ },
    "npx alignscope data fetch gpt2-medium wikitext-2-raw": {
      elsewhere: "test/data/command.test.ts",
      says: '"fetch"',
    },
    "npx alignscope bench --shape gpt2-medium --backend webgpu": {
      elsewhere: "test/cli/bench/bench.slow.ts",
      says: 'shape: "lab"',
    },
    "npm run reproduce -- --profile paper --backend webgpu -p pairCount 6144": dry,
    "npx alignscope pack": { elsewhere: "test/cli/pack/air-gapped.slow.ts", says: '"pack"' },
    "tar xzf alignscope-0.1.0-linux-x64.tar.gz && cd alignscope-0.1.0-linux-x64": {
      elsewhere: "test/cli/pack/air-gapped.slow.ts",
      says: "unpack-and-run.sh",
    },
    "./unpack-and-run.sh": { elsewhere: "test/cli/pack/air-gapped.slow.ts", says: "unpack-and-run.sh" },
    "./unpack-and-run.sh bench --shape gpt2-medium --backend webgpu --json": {
      elsewhere: "test/cli/pack/air-gapped.slow.ts",
      says: "bench",
    },
    "npx alignscope plan --profile paper --backend cuda --export snakemake --shards 8 --out Snakefile": {
      run: true,
      leaves: "Snakefile",
    },
    "snakemake --cores 8 --resources gpu=1": {
      elsewhere: "test/pipeline/snakemake-run.slow.ts",
      says: "gpu=1",
    },
    'snakemake --jobs 20 --default-resources gpu=0 --cluster "sbatch -c {threads} --mem {resources.mem_mb} -t {resources.runtime} --gres=gpu:{resources.gpu}"':
      { run: true, as: "grep mem_mb= Snakefile && grep runtime= Snakefile && grep gpu= Snakefile" },
    "npx alignscope pairs make --model gpt2-medium --prompts wikitext-2-raw --count 24576 --shard 1/8 --out pairs.jsonl --attribute outputs/paper/artifacts/probe.json":
      { elsewhere: "test/alignment/pairs/make-command.test.ts", says: '"--shard"' },
    "npx alignscope pairs merge pairs.jsonl": {
      elsewhere: "test/alignment/pairs/command.test.ts",
      says: '"merge"',
    },
    'npm run reproduce -- --profile paper -p pairs "$PWD/pairs.jsonl"': dry,
    "npx alignscope bench --json > ours.json": {
      run: true,
      as: `${BENCH} --json > ours.json`,
      leaves: "ours.json",
    },
    "python3 src/cli/bench/pytorch_peer.py --json > peer.json": {
      elsewhere: "test/cli/bench/peer.slow.ts",
      says: "pytorch_peer.py",
    },
    "npx alignscope bench compare ours.json peer.json": {
      run: true,
      first: "cp ours.json peer.json",
      shows: /forward/,
    },
  },
  "docs/notebooks.md": {
    "npm run build": { elsewhere: "test/cli/bootstrap.test.ts", says: '"build"' },
    "npx alignscope kernel install": { run: true, shows: /alignscope/ },
    "jupyter lab notebooks": { elsewhere: "test/kernels/jupyter-in-browser.slow.ts", says: "jupyter" },
    "npx alignscope kernel list": { run: true, shows: /alignscope/ },
    "npx alignscope kernel uninstall": { run: true },
    'npx alignscope kernel install --name alignscope-wasm --display-name "TypeScript (wasm)" --env ALIGNSCOPE_BLAS=none':
      { run: true, shows: /alignscope-wasm/ },
    "npx alignscope bench kernels": { run: true, with: "--help", shows: /--runs/ },
  },
  "docs/papermill.md": {
    "npx papermill-ts in.ipynb out.ipynb -p size large -p n 7": { run: true, leaves: "out.ipynb" },
    "npx papermill-ts in.ipynb '{name}-{n:03d}.ipynb' -p name run -p n 7": {
      run: true,
      with: "--prepare-only",
      leaves: "run-007.ipynb",
    },
    "npx papermill-ts in.ipynb out.ipynb --notebook-timeout 3600 --max-output-size 10MB": {
      run: true,
      with: "--prepare-only",
    },
    "cat in.ipynb | npx papermill-ts > out.ipynb": { run: true, leaves: "out.ipynb" },
    "npx papermill-ts https://host/in.ipynb s3://bucket/out.ipynb": {
      elsewhere: "test/papermill/stores.test.ts",
      says: "s3://",
    },
    "npx papermill-ts --help-notebook notebooks/3.3-interventions.ipynb": {
      run: true,
      shows: /perplexityRatio/,
    },
    "npx papermill-ts --strict-parameters in.ipynb out.ipynb -p size large -y '{layers: [1, 2]}'": {
      run: true,
      with: "--prepare-only",
    },
    "npx papermill-ts in.ipynb out.ipynb -r apiKey \"$API_KEY\" --mask-parameters '^session'": {
      run: true,
      with: "--prepare-only",
    },
    "npm install --no-save @aws-sdk/client-s3": {
      elsewhere: "src/papermill/package.json",
      says: '"@aws-sdk/client-s3"',
    },
    "npm install --no-save @google-cloud/storage": {
      elsewhere: "src/papermill/package.json",
      says: '"@google-cloud/storage"',
    },
    "npx alignscope bench runner": { elsewhere: "test/cli/bench/runner.slow.ts", says: "runner" },
  },
  "docs/reading.md": {
    "npx alignscope claims": { run: true, shows: /C1 +The probe finds toxicity/ },
    "npx alignscope claims outputs/lab outputs/other": { run: true },
    "npx alignscope verify outputs/lab": unfinished,
    "npx alignscope status": { run: true, shows: /2-preliminaries/ },
    "npx alignscope diff outputs/lab outputs/other": { run: true, shows: /^equal/m },
    "npx alignscope diff outputs/lab outputs/other --rtol 1e-3 --all": { run: true, shows: /^equal/m },
    "npm run reproduce -- -p scorer toxic-bert": dry,
    "npx alignscope scorers agreement": { elsewhere: "test/cli/scorers.test.ts", says: '"agreement"' },
  },
};
