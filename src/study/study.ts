import { basename, join, resolve } from "node:path";
import { locate, modelChecksum, openArtifacts, projectRoot, type Artifacts } from "../data";
import { GPT2, Tokenizer } from "../model";
import { show, type Figure, type Table } from "../present";
import { describeBackend, openBackend, type BackendDescription } from "../tensors";

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
  const artifacts = openArtifacts(join(folder, "artifacts"), {
    model: await modelChecksum(modelFolder),
    ...(profile === undefined ? {} : { profile }),
  });
  const { nLayer, dModel, dMlp, vocabSize, nPositions } = model.config;
  await show(
    `**Model** ${basename(name)}: ${nLayer} layers, width ${dModel}, ${dMlp} value vectors per layer, ` +
      `${vocabSize} tokens, context ${nPositions}  \n**Backend** ${describeBackend(backend)}`,
  );
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
  };
}
