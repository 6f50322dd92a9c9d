/** A file by its name (below the entry's folder, where there is one) and what its bytes must be. */
export interface RegisteredFile {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** A repository of the Hugging Face hub at one commit, so that what is fetched can never change. */
export interface HubSource {
  readonly kind: "model" | "dataset";
  readonly repo: string;
  readonly revision: string;
  /** The file's path in the repository, where it differs from the registered file's name. */
  readonly path?: string;
}

/** A zip archive that a download source delivers instead of the file itself. */
export interface Archive extends RegisteredFile {
  /** The path in the archive of the registered file. */
  readonly member: string;
}

/** Where an entry may come from; every kind that is missing here is simply not tried. */
export interface Sources {
  /** Carried by the repository: a path relative to the project's root. */
  readonly embedded?: string;
  /** The name of the file or folder in a mirror (ALIGNSCOPE_MIRROR). */
  readonly mirror?: string;
  readonly huggingface?: HubSource;
  /** A public address of exactly this file, pinned to a commit. */
  readonly url?: string;
  /** What `huggingface` or `url` deliver is this archive. */
  readonly archive?: Archive;
}

/** A data set, a GPT-2 in Hugging Face layout or a toxicity classifier that can be located by its name. */
export interface Registered {
  readonly name: string;
  readonly kind: "dataset" | "model" | "scorer";
  readonly description: string;
  readonly licence: string;
  /** Where the data was first published, in words, and the page about it. */
  readonly origin: string;
  readonly homepage?: string;
  /** Records in a data set: a line of text, a row of a table or an element of an array. */
  readonly rows?: number;
  /** `"file"`: `locate` gives the path of the one file; `"folder"`: that of the folder. */
  readonly layout: "file" | "folder";
  readonly files: readonly RegisteredFile[];
  readonly sources: Sources;
  /** sha256 of the file; of a model: of its weights. */
  readonly sha256: string;
  /** Size in bytes; of a model: all of its files together. */
  readonly bytes: number;
}

/** What `catalogue.ts` states of an entry; the rest follows from it. */
export interface CatalogueEntry extends Omit<Registered, "sha256" | "bytes" | "files"> {
  /** Left out for embedded data, whose checksums stand in `data/lab/manifest.json`. */
  readonly files?: readonly RegisteredFile[];
}
