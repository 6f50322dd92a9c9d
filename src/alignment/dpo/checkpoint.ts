import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { hashFile } from "@alignscope/base/checksum";
import { messageOf, UserError } from "@alignscope/base/errors";
import { linkOrCopy, syncFolder, writeDurably, writeJsonAtomic } from "@alignscope/base/files";
import type { GPT2 } from "../../model/index.js";
import { configJson, type GPT2Config } from "../../model/config.js";
import { listFile, readTensor, safetensorsChunks, type TensorValues } from "@alignscope/tensors/safetensors";

/*
 * A run's checkpoints lie in `checkpoints/` of its folder, one folder each, and `checkpoint.json` names the current one and
 * the one before:
 *
 *   step-000150/model.safetensors, config.json       the policy, in Hugging Face's layout
 *   step-000150/best/model.safetensors, config.json  the policy of the lowest validation loss so far
 *   step-000150/optimizer.safetensors                running means of squared gradients, of what is trained
 *   step-000150/state.json                           where the run stands, what it is of, and the sha256 of these files
 *
 * A checkpoint is written aside, brought to the disk and renamed before `checkpoint.json` names it; only then the oldest is
 * removed. Whenever the process dies, `checkpoint.json` names a whole one.
 */

/** Why a run is over: no lower validation loss for long enough, or as many epochs as there were to be. */
export type Stopped = "patience" | "epochs";

/** Where a run stands. Together with the weights and the optimiser's state it is all that the rest of the run follows from. */
export interface RunState {
  /** Steps taken. */
  step: number;
  /** Training pairs seen. */
  examples: number;
  /** The epoch that the next step belongs to, and how many of its pairs have been taken: with the seed, what is random. */
  epoch: number;
  position: number;
  evaluations: number;
  /** Training pairs that had been seen at the last evaluation. */
  evaluatedAt: number;
  /** The lowest validation loss, and after how many steps it was measured. */
  best: { step: number; loss: number };
  /** The validation loss of the last improvement that counted, and the evaluations since. */
  improvedTo: number;
  sinceImproved: number;
  logLines: number;
  /** Why the run is over; null while it is not. */
  finished: Stopped | null;
}

/** What a run is of; a checkpoint of something else is refused. */
export interface RunIdentity {
  /** sha256 of the weights that the policy began with. */
  model: string;
  /** sha256 of the reference's weights. */
  reference: string;
  /** sha256 of the pairs that were given. */
  pairs: string;
  settings: Record<string, unknown>;
}

/** A whole checkpoint in memory. */
export interface Checkpoint {
  state: RunState;
  identity: RunIdentity;
  /** All parameters of the policy by name. */
  parameters: Map<string, Float32Array>;
  /** Those of them that are trained, at the lowest validation loss. */
  best: Map<string, Float32Array>;
  /** Running means of squared gradients of what is trained. */
  optimizer: Map<string, Float32Array>;
}

/** Called before each stage of writing a checkpoint, for tests that end the process there. */
export type WriteStage = (stage: "files" | "rename" | "pointer" | "removal") => void;

interface Pointer {
  current: string;
  previous: string | null;
}

const BEST = "best/model.safetensors";
const FILES = ["model.safetensors", BEST, "optimizer.safetensors"] as const;

interface StateFile {
  state: RunState;
  identity: RunIdentity;
  sha256: Record<(typeof FILES)[number], string>;
}

/** The checkpoints of one run's folder. */
export class Checkpoints {
  private readonly folder: string;
  private readonly pointerPath: string;

  constructor(
    private readonly runFolder: string,
    private readonly config: GPT2Config,
    private readonly stage: WriteStage = () => undefined,
  ) {
    this.folder = join(runFolder, "checkpoints");
    this.pointerPath = join(runFolder, "checkpoint.json");
  }

  /** The step of the current checkpoint, for messages; undefined while there is none. */
  get currentStep(): number | undefined {
    const name = this.pointer()?.current;
    return name === undefined ? undefined : Number(name.replace("step-", ""));
  }

  /**
   * Writes a checkpoint and makes it the current one; nothing is done where the current one is of the same step already.
   *
   * @param shapes of all parameters, by name
   */
  write(checkpoint: Checkpoint, shapes: ReadonlyMap<string, number[]>): void {
    const pointer = this.pointer();
    const name = `step-${String(checkpoint.state.step).padStart(6, "0")}`;
    if (pointer?.current === name) return;
    const aside = join(this.folder, `.${name}`);
    const place = join(this.folder, name);
    try {
      for (const stale of [aside, place]) rmSync(stale, { recursive: true, force: true });
      this.writeAside(aside, checkpoint, shapes, pointer);
      this.stage("rename");
      renameSync(aside, place);
    } catch (error) {
      rmSync(aside, { recursive: true, force: true });
      throw error;
    }
    syncFolder(this.folder);
    this.stage("pointer");
    writeJsonAtomic(this.pointerPath, {
      current: name,
      previous: pointer?.current ?? null,
    } satisfies Pointer);
    this.stage("removal");
    this.removeOthers();
  }

  private writeAside(
    aside: string,
    { state, identity, parameters, best, optimizer }: Checkpoint,
    shapes: ReadonlyMap<string, number[]>,
    pointer: Pointer | undefined,
  ): void {
    mkdirSync(join(aside, "best"), { recursive: true });
    const chunksOf = (values: ReadonlyMap<string, Float32Array>): Uint8Array[] =>
      safetensorsChunks(
        [...values].map(([name, data]): [string, TensorValues] => [
          name,
          { shape: shapes.get(name) ?? [], data },
        ]),
      );
    const own = writeDurably(join(aside, "model.safetensors"), chunksOf(parameters));
    this.stage("files");
    const optimizerHash = writeDurably(join(aside, "optimizer.safetensors"), chunksOf(optimizer));
    const before = pointer ? { name: pointer.current, ...this.stateOf(pointer.current) } : undefined;
    const bestPath = join(aside, BEST);
    let bestHash = own;
    if (state.best.step === state.step) {
      linkOrCopy(join(aside, "model.safetensors"), bestPath);
    } else if (before?.state.best.step === state.best.step) {
      linkOrCopy(join(this.folder, before.name, BEST), bestPath);
      bestHash = before.sha256[BEST];
    } else {
      const values = new Map([...parameters].map(([name, last]) => [name, best.get(name) ?? last]));
      bestHash = writeDurably(bestPath, chunksOf(values));
    }
    const tied = !parameters.has("lm_head.weight");
    const config = json({ ...configJson(this.config), tie_word_embeddings: tied });
    for (const folder of [aside, join(aside, "best")]) writeDurably(join(folder, "config.json"), [config]);
    const sha256 = { "model.safetensors": own, [BEST]: bestHash, "optimizer.safetensors": optimizerHash };
    writeDurably(join(aside, "state.json"), [json({ state, identity, sha256 } satisfies StateFile)]);
    for (const folder of [join(aside, "best"), aside]) syncFolder(folder);
  }

  /**
   * The current checkpoint, or the one before it where the current one is damaged; undefined where there is none.
   *
   * @throws UserError where none that is named is whole, or where it is of another run
   */
  async read(identity: RunIdentity): Promise<(Checkpoint & { fellBack?: string }) | undefined> {
    const pointer = this.pointer();
    if (!pointer) return undefined;
    const damage: string[] = [];
    for (const name of [pointer.current, pointer.previous]) {
      if (name === null) continue;
      try {
        const found = await this.readOne(name);
        this.checkIdentity(found.identity, identity);
        if (damage.length === 0) return found;
        writeJsonAtomic(this.pointerPath, { current: name, previous: null } satisfies Pointer);
        this.removeOthers();
        return { ...found, fellBack: `${damage.join("; ")}: going on from ${name}` };
      } catch (error) {
        if (error instanceof OtherRun) throw new UserError(error.message);
        damage.push(`${join(this.folder, name)}: ${messageOf(error)}`);
      }
    }
    throw new UserError(`${damage.join("; ")}: no checkpoint is whole; remove the folder to start anew`);
  }

  /** The folder of a run's current checkpoint; undefined where there is none. */
  static currentFolder(runFolder: string): string | undefined {
    const pointer = readPointer(runFolder);
    return pointer ? join(runFolder, "checkpoints", pointer.current) : undefined;
  }

  /** The folder of the best policy of a run's current checkpoint, in Hugging Face's layout. */
  static bestFolder(runFolder: string): string | undefined {
    const current = Checkpoints.currentFolder(runFolder);
    return current === undefined ? undefined : join(current, "best");
  }

  private async readOne(name: string): Promise<Checkpoint> {
    const folder = join(this.folder, name);
    const { state, identity, sha256 } = this.stateOf(name);
    for (const file of FILES) {
      const found = await hashFile(join(folder, file));
      if (found !== sha256[file]) throw new Error(`${file} is damaged (sha256 ${found.slice(0, 12)}…)`);
    }
    const optimizer = readAll(folder, "optimizer.safetensors");
    const best = readAll(join(folder, "best"), "model.safetensors");
    const parameters = readAll(folder, "model.safetensors");
    return { state, identity, parameters, best, optimizer };
  }

  private stateOf(name: string): StateFile {
    return JSON.parse(readFileSync(join(this.folder, name, "state.json"), "utf8")) as StateFile;
  }

  private pointer(): Pointer | undefined {
    return readPointer(this.runFolder);
  }

  private checkIdentity(found: RunIdentity, now: RunIdentity): void {
    const differing: string[] = [];
    if (found.model !== now.model) differing.push("the model to start from");
    if (found.reference !== now.reference) differing.push("the reference");
    if (found.pairs !== now.pairs) differing.push("the pairs");
    for (const key of new Set([...Object.keys(found.settings), ...Object.keys(now.settings)])) {
      const [before, after] = [found.settings[key], now.settings[key]].map((value) => JSON.stringify(value));
      if (before !== after) differing.push(`${key} (${before} there, ${after} now)`);
    }
    if (differing.length === 0) return;
    throw new OtherRun(
      `${this.folder} holds checkpoints of another run of DPO; different: ${differing.join(", ")}: go on with what it was begun with, or choose another folder`,
    );
  }

  /** Removes what the pointer does not name: older checkpoints, and what a process that died left aside. */
  removeOthers(): void {
    if (!existsSync(this.folder)) return;
    const pointer = this.pointer();
    for (const entry of readdirSync(this.folder)) {
      if (entry === pointer?.current || entry === pointer?.previous) continue;
      rmSync(join(this.folder, entry), { recursive: true, force: true });
    }
  }
}

class OtherRun extends Error {}

function readPointer(runFolder: string): Pointer | undefined {
  const path = join(runFolder, "checkpoint.json");
  if (!existsSync(path)) return undefined;
  try {
    const { current, previous } = JSON.parse(readFileSync(path, "utf8")) as Partial<Pointer>;
    if (typeof current === "string") return { current, previous: previous ?? null };
  } catch {
    // Reported below, like any other content.
  }
  throw new UserError(
    `${path} names no checkpoint: write {"current": "step-…"} with a folder of checkpoints/ to it, or remove both to start anew`,
  );
}

function json(value: unknown): Uint8Array {
  return Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
}

function readAll(folder: string, file: string): Map<string, Float32Array> {
  const values = new Map<string, Float32Array>();
  for (const entry of listFile(join(folder, file))) values.set(entry.name, readTensor(entry));
  return values;
}

/** One checksum of a model's weights, whatever file they came from: the sha256 of names, shapes and values in order. */
export async function weightsChecksum(model: GPT2): Promise<string> {
  const hash = createHash("sha256");
  for (const name of model.parameterNames) {
    const tensor = model.weight(name);
    const values = await tensor.data<"float32">();
    hash.update(`${name} [${tensor.shape}]\n`);
    hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }
  return hash.digest("hex");
}

/** Values of some parameters, all unless named; copies. */
export async function weightsOf(
  model: GPT2,
  names: readonly string[] = model.parameterNames,
): Promise<Map<string, Float32Array>> {
  const values = new Map<string, Float32Array>();
  for (const name of names) values.set(name, (await model.weight(name).data<"float32">()).slice());
  return values;
}
