import { existsSync, mkdirSync, rmSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import {
  locate,
  modelChecksum,
  openArtifacts,
  copyFileAtomic,
  projectRoot,
  sha256Of,
  UserError,
  writeJsonAtomic,
  type Artifacts,
} from "../data/index.js";
import { GPT2, Tokenizer } from "../model/index.js";
import {
  claimsTable,
  type ClaimsFile,
  display,
  judge,
  show,
  STUDY_MIME,
  type Figure,
  type Measured,
  type Table,
} from "../present/index.js";
import { describeBackend, openBackend, type BackendDescription } from "@alignscope/tensors";

/** What every notebook of the series works with. */
export interface Study {
  model: GPT2;
  tokenizer: Tokenizer;
  backend: BackendDescription;
  /** What earlier notebooks made and later ones read. */
  artifacts: Artifacts;
  /** The folder of this run, e.g. outputs/lab. */
  folder: string;
  /** Shows tables and figures, and writes each as data and as rendered files below {@link folder}. */
  publish(...results: (Table | Figure)[]): Promise<void>;
  /**
   * What this notebook finds of the paper's claims (data/paper/claims.json): shown as the table `claims-PART` and written
   * to `claims/PART.json`, from which a run puts all claims together. One call, in the notebook's cell `claims`.
   *
   * @param part section or appendix, "5.1" or "B"
   * @param said by claim the values of its measures, null and `reason` for some that this run cannot measure, or a text
   *   that says why it can measure none
   * @example await study.claims("5.1", { C10: { tensorMin: 0.9998, rowMin: 0.997 }, C7: "the pairs are too few" });
   * @throws UserError in one line for an unknown claim or measure and for one that is missing or not a number; nothing is
   *   written then
   */
  claims(part: string, said: Readonly<Record<string, Measured | string>>): Promise<void>;
  /** Keeps a model among the artifacts: NAME.json, and NAME/ in Hugging Face's layout with the study's tokenizer. */
  keepModel(name: string, model: GPT2): Promise<void>;
  /** A model that a notebook kept; the caller disposes of it. */
  keptModel(name: string): Promise<GPT2>;
  /**
   * A folder for work of hours, which goes on there when the notebook is run again after it was interrupted. It is the same
   * for the same `settings` of the same model, backend, profile and folder of the run: runs of a sweep side by side, which
   * may differ in other settings only, do not share one.
   */
  workFolder(name: string, settings: unknown): WorkFolder;
}

/** Where long work lies until its result is an artifact. */
export interface WorkFolder {
  folder: string;
  /** What model, backend and settings come to, in twelve digits: work with the same key is the same work. */
  key: string;
  /** The path of a file in it. */
  path(file: string): string;
  /**
   * Brings along what was begun elsewhere, and the note FILE.meta.json beside it.
   *
   * @param from a relative path counts from the project's root
   * @throws UserError where there is no such file
   */
  take(from: string, file: string): void;
  /** Removes it: the work is done, and its result an artifact. */
  clear(): void;
}

export interface StudyOptions {
  /** A model by its name in the registry, or the path of a folder in Hugging Face's layout. */
  model: string;
  /** Folder of the run; a relative one counts from the project's root, wherever the notebook is opened. */
  outputs: string;
  /** One of auto, cuda, native, webgpu, wasm and cpu. */
  backend?: string;
  /** The profile's name: artifacts of another profile or model are refused. */
  profile?: string;
}

const TOKENIZER_FILES = ["tokenizer.json", "tokenizer_config.json"];

/** Opens the backend, loads the model with its tokenizer, and says in two lines what was opened. */
export async function openStudy({
  model: name,
  outputs,
  backend: wanted = "auto",
  profile,
}: StudyOptions): Promise<Study> {
  const backend = await openBackend(wanted);
  const modelFolder = await locate(name);
  const [model, tokenizer] = [await GPT2.load(modelFolder), await Tokenizer.load(modelFolder)];
  const folder = resolve(projectRoot(), outputs);
  const checksum = await modelChecksum(modelFolder);
  const artifacts = openArtifacts(join(folder, "artifacts"), {
    model: checksum,
    ...(profile === undefined ? {} : { profile }),
  });
  const { nLayer, dModel, dMlp, vocabSize, nPositions } = model.config;
  const opened =
    `**Model** ${basename(name)}: ${nLayer} layers, width ${dModel}, ${dMlp} value vectors per layer, ` +
    `${vocabSize} tokens, context ${nPositions}  \n**Backend** `;
  const others = backend.passedOver.map((passed) => passed.backend).join(", ");
  display({
    "text/markdown":
      opened +
      describeBackend({ ...backend, passedOver: [] }) +
      (others && `; not ${others}, and \`npx alignscope doctor\` says why`),
    "text/plain": opened + describeBackend(backend),
    // For the manifest of a run: what a notebook computed on is known in its kernel alone.
    [STUDY_MIME]: { model: { name: basename(name), sha256: checksum }, backend },
  });
  return {
    model,
    tokenizer,
    backend,
    artifacts,
    folder,
    async publish(...results) {
      for (const result of results) {
        await result.save(folder);
        await show(result);
      }
    },
    async claims(part, said) {
      if (!/^(\d+(\.\d+)*|[A-Z])$/.test(part)) {
        throw new UserError(`not a section or appendix: ${part} (expected one such as 5.1 or B)`);
      }
      const judged = Object.entries(said).map(([id, measured]) => judge(id, measured, { part }));
      const own = claimsTable(part, judged);
      own.save(folder);
      writeJsonAtomic(join(folder, "claims", `${part}.json`), { part, claims: judged } satisfies ClaimsFile);
      await show(own);
    },
    async keepModel(kept, own) {
      const place = artifacts.path(kept);
      await own.save(place);
      for (const file of TOKENIZER_FILES) copyFileAtomic(join(modelFolder, file), join(place, file));
      artifacts.writeJson(`${kept}.json`, { sha256: await modelChecksum(place) });
    },
    async keptModel(kept) {
      const { sha256 } = artifacts.readJson<{ sha256: string }>(`${kept}.json`);
      const place = artifacts.path(kept);
      const found = await modelChecksum(place);
      if (found !== sha256) {
        throw new UserError(
          `${place} holds another model than ${kept}.json says (${found}, expected ${sha256}): make it again`,
        );
      }
      return GPT2.load(place);
    },
    workFolder(work, settings) {
      const key = sha256Of(JSON.stringify([checksum, backend.backend, settings])).slice(0, 12);
      const run = sha256Of(folder).slice(0, 6);
      const place = join(projectRoot(), ".cache", "work", profile ?? "own", `${work}-${key}-${run}`);
      mkdirSync(place, { recursive: true });
      return {
        folder: place,
        key,
        path: (file) => join(place, file),
        take(from, file) {
          const source = resolve(projectRoot(), from);
          if (!existsSync(source)) throw new UserError(`no such file to go on with: ${source}`);
          copyFileAtomic(source, join(place, file));
          const note = `${source}.meta.json`;
          if (existsSync(note)) copyFileAtomic(note, join(place, `${file}.meta.json`));
        },
        clear: () => rmSync(place, { recursive: true, force: true }),
      };
    },
  };
}
