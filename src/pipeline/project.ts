import { join, relative, resolve, sep } from "node:path";
import { UserError } from "@alignscope/base/errors";
import { projectRoot } from "@alignscope/base/paths";
import { readNotebook } from "jupyter-wire";
import { type DeclaredParameter, declaredParameters } from "./declared-parameters.js";
import { type Graph, loadGraph } from "./graph.js";
import type { MaskOption } from "papermill-ts";
import { refuseIllTyped, refuseUnknownParameters } from "./parameters.js";
import { loadProfile, type Profile } from "./profile.js";

/** Which series to run, with what, into which folder. */
export interface ProjectOptions {
  profile?: string;
  /** Parameters from the command line, as text. */
  parameters?: Readonly<Record<string, string>>;
  /** Default: `outputs/<profile>` of the project. */
  outputs?: string;
  /** The graph's file; the profiles lie beside it in `profiles/`. Default: `notebooks/pipeline.yaml` of the project. */
  pipeline?: string;
  /** Patterns of names whose values nothing shows, besides those that sound like a secret's; false masks none. */
  maskParameters?: MaskOption;
}

/** A series of notebooks with the profile and the values it is to run with. */
export interface Project {
  graph: Graph;
  profile: Profile;
  given: Readonly<Record<string, string>>;
  /** The output folder, absolute. */
  outputs: string;
  /** The output folder as notebooks are told of it: relative to the project's root where it lies below. */
  outputsParameter: string;
  /** Where the repository carries a run of this profile, if it does. */
  committed: string;
  declared: ReadonlyMap<string, readonly DeclaredParameter[]>;
  /** Which parameters nothing that is written shows. */
  mask: MaskOption;
}

/** Parameters that follow from the run itself: their own options set them, `-p` cannot. */
const FROM_OPTIONS: Record<string, string> = { profile: "--profile NAME", outputs: "--outputs DIR" };

/** Reads graph, profile and the notebooks' declarations and checks that they fit each other. */
export async function openProject(options: ProjectOptions = {}): Promise<Project> {
  const root = projectRoot();
  const pipeline = resolve(options.pipeline ?? join(root, "notebooks", "pipeline.yaml"));
  const profile = loadProfile(join(pipeline, "..", "profiles"), options.profile ?? "lab");
  const graph = loadGraph(pipeline);
  const given = options.parameters ?? {};
  for (const [name, option] of Object.entries(FROM_OPTIONS)) {
    if (name in given) throw new UserError(`the parameter ${name} is set with ${option}, not with -p`);
  }
  const declared = new Map<string, DeclaredParameter[]>();
  for (const { name, path } of graph.notebooks) {
    declared.set(name, await declaredParameters(readNotebook(path), graph.kernel));
  }
  refuseUnknownParameters([...declared.values()], profile, given);
  const mask = options.maskParameters ?? [];
  refuseIllTyped(declared, profile, given, mask);
  const outputs = resolve(options.outputs ?? join(root, "outputs", profile.name));
  const below = relative(root, outputs);
  const outputsParameter = below.startsWith("..") || below === "" ? outputs : below.split(sep).join("/");
  const committed = join(root, "outputs", `${profile.name}-committed`);
  return { graph, profile, given, outputs, outputsParameter, committed, declared, mask };
}
