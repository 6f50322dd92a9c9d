import { eachFour, here, LOOP_LOCALS, advance, bytes, times } from "./wat.js";

/** Rows added into the rows of a table. */
export const SUMS = `
  (func $add (param $a i32) (param $b i32) (param $out i32) (param $count i32)
    ${LOOP_LOCALS}
    ${eachFour("(local.get $count)", ({ load, store }) =>
      store(here("$out"), `(f32x4.add ${load(here("$a"))} ${load(here("$b"))})`),
    )})

  ;; Row n is added to row ids[n] of a table; equal ids in their order.
  (func (export "scatterAdd") (param $rows i32) (param $ids i32) (param $table i32) (param $count i32) (param $width i32)
    (local $row i32)
    ${times(
      "$count",
      "(local.get $count)",
      `(local.set $row (i32.add
        (local.get $table)
        (i32.mul (i32.load (local.get $ids)) ${bytes("(local.get $width)")})))
      (call $add (local.get $row) (local.get $rows) (local.get $row) (local.get $width))
      ${advance("$rows", bytes("(local.get $width)"))}
      ${advance("$ids", "(i32.const 4)")}`,
    )})`;
