/* A process of its own: loads the system's BLAS, whatever library that is, and prints which one as one line of JSON. */
import { findBlas } from "@alignscope/tensors/wasm/blas";

const { blas, reason } = findBlas();
const said = blas ? { name: blas.name, threads: blas.threads, file: blas.file } : { refused: reason };
process.stdout.write(`\nTRIAL ${JSON.stringify(said)}\n`);
