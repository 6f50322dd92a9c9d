import { FUSED } from "../../ops/fused.js";
import { product } from "../matmul.js";
import { define, take } from "./define.js";

/** GELU(x·weight + bias) in the product's own last step, which also keeps what went into the GELU where a gradient will want it. */
export function registerLinearGelu(): void {
  define(FUSED.linearGelu, ({ inputs, attrs, backend }) =>
    product(backend, {
      a: take(inputs, "x"),
      b: take(inputs, "weight"),
      bias: take(inputs, "bias"),
      epilogue: attrs["keepPre"] === true ? "geluKeep" : "gelu",
    }),
  );
}
