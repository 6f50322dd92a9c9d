import { inspect, types } from "node:util";
import type { TensorLike } from "./tensor-shape.js";
import { titleOf } from "./tensor-shape.js";

/*
 * Inside other objects, tensors and data frames are a few words instead of the fields that they keep for themselves. Their
 * classes are recognised without reading a property that could be a getter.
 */

interface Kind {
  /** What the prototype has of its own. */
  methods: readonly string[];
  words(object: object): string;
}

const kinds: readonly Kind[] = [
  {
    methods: ["dataSync", "data", "dispose"],
    words: (object) => {
      const tensor = object as TensorLike;
      return `${titleOf(tensor)}${tensor.isDisposed ? ", disposed" : ""}`;
    },
  },
  {
    methods: ["$setColumnNames", "$setIndex"],
    words: (object) => {
      const { shape, $isSeries } = object as { shape: readonly number[]; $isSeries: boolean };
      return $isSeries ? `Series of ${shape[0]}` : `DataFrame of ${shape.join(" × ")}`;
    },
  },
];

/** The class that has words of its own here, as its prototype; undefined for other objects. */
export function briefClass(object: object): object | undefined {
  return find(object)?.prototype;
}

function find(object: object): { prototype: object; kind: Kind } | undefined {
  let prototype = Object.getPrototypeOf(object) as object | null;
  // Variables and data frames are two classes away from what they extend.
  for (let steps = 0; prototype && prototype !== Object.prototype && steps < 6; steps += 1) {
    const candidate: object = prototype;
    if (types.isProxy(candidate)) return undefined;
    const kind = kinds.find(({ methods }) =>
      methods.every((name) => typeof Object.getOwnPropertyDescriptor(candidate, name)?.value === "function"),
    );
    if (kind) return { prototype: candidate, kind };
    prototype = Object.getPrototypeOf(prototype) as object | null;
  }
  return undefined;
}

/** Runs `print`, which must not wait for anything, while objects of these classes have their words for inspect. */
export function withBriefClasses<T>(prototypes: Iterable<object>, print: () => T): T {
  const changed: object[] = [];
  try {
    for (const prototype of prototypes) {
      if (inspect.custom in prototype) continue;
      Object.defineProperty(prototype, inspect.custom, { configurable: true, value: wordsOf });
      changed.push(prototype);
    }
    return print();
  } finally {
    for (const prototype of changed) Reflect.deleteProperty(prototype, inspect.custom);
  }
}

function wordsOf(this: object): unknown {
  try {
    return find(this)?.kind.words(this) ?? inspect(this, { customInspect: false, depth: 0 });
  } catch {
    return "[unreadable]";
  }
}
