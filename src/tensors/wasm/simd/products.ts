import { advance, times } from "./wat.js";

const EACH_ROW = `${advance("$a", "(local.get $aRow)")} ${advance("$c", "(local.get $cRow)")}`;

/** Matrix products too small for a call of a BLAS that takes long to begin. Distances between rows are bytes. */
export const PRODUCTS = `
  ;; C = A·Bᵀ
  (func (export "multiplyTransposed") (param $a i32) (param $aRow i32) (param $b i32) (param $bRow i32) (param $c i32)
    (param $cRow i32) (param $m i32) (param $n i32) (param $k i32)
    (local $left i32)
    ${times(
      "$left",
      "(local.get $m)",
      `(call $dots
        (local.get $a) (local.get $b) (local.get $bRow) (local.get $n) (local.get $c) (local.get $k))
      ${EACH_ROW}`,
    )})

  ;; C = A·B; $hop is from one column of A to the next: with it and $aRow changed about, C = Aᵀ·B.
  (func (export "multiply") (param $a i32) (param $aRow i32) (param $b i32) (param $bRow i32) (param $c i32)
    (param $cRow i32) (param $m i32) (param $n i32) (param $k i32) (param $hop i32)
    (local $left i32)
    ${times(
      "$left",
      "(local.get $m)",
      `(call $weigh
        (local.get $b) (local.get $bRow) (local.get $a) (local.get $hop) (local.get $k) (local.get $c) (local.get $n))
      ${EACH_ROW}`,
    )})`;
