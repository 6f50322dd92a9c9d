#!/bin/sh
# alignscope @VERSION@ for a host without network, Node.js, npm and compiler: 64-bit Linux on x86-64 with glibc @GLIBC@ or newer.
#
#   ./unpack-and-run.sh                          everything below, one after the other
#   ./unpack-and-run.sh --only parity,bench      some of: parity, bench, peer, reproduce
#   ./unpack-and-run.sh --shape lab              bench and peer at another shape: lab, gpt2 or gpt2-medium
#   ./unpack-and-run.sh verify                   compares every file with MANIFEST
#   ./unpack-and-run.sh COMMAND …                any command of alignscope, e.g. bench --backend webgpu
#
# Results go to results/ and outputs/ beside this script; nothing is written elsewhere.
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
invoked=$(pwd)
node="$here/bin/node"

fail() {
  echo "unpack-and-run: $1" >&2
  exit 1
}

# ---- what the host must be
[ "$(uname -s)" = Linux ] && [ "$(uname -m)" = x86_64 ] ||
  fail "this pack is for Linux on x86-64, this host is $(uname -s) on $(uname -m): make one there with \`npx alignscope pack\`"
have=$( (getconf GNU_LIBC_VERSION || ldd --version) 2>/dev/null | sed -n '1s/.*[^0-9]\([0-9][0-9]*\.[0-9][0-9]*\).*/\1/p')
if [ -n "$have" ]; then
  wanted_minor=@GLIBC_MINOR@
  [ "${have%%.*}" -eq 2 ] && [ "${have#*.}" -lt "$wanted_minor" ] &&
    fail "glibc $have is too old, expected @GLIBC@ or newer: use a newer system or container"
fi
version=$("$node" --version 2>&1) || fail "the packed Node.js does not start here: $version (it needs glibc @GLIBC@ and libstdc++)"

# ---- everything stays in this folder
# Python finds what its user installed by the user's own home.
python_home=${HOME:-/}
HOME="$here/.home"
TMPDIR="$here/.tmp"
mkdir -p "$HOME" "$TMPDIR" "$here/results" || fail "cannot write to $here: unpack where you may write"
ALIGNSCOPE_CACHE=${ALIGNSCOPE_CACHE:-"$here/.cache"}
JUPYTER_RUNTIME_DIR="$here/.tmp/jupyter"
XDG_CACHE_HOME="$here/.cache"
unset NODE_OPTIONS NODE_PATH
export HOME TMPDIR ALIGNSCOPE_CACHE JUPYTER_RUNTIME_DIR XDG_CACHE_HOME
[ -f "$here/.unpacked" ] || echo "[unpack] Node.js $version; unpacking beside this script" >&2
"$node" "$here/unpack.mjs" unpack || exit 1

alignscope() {
  "$node" "$here/src/cli/bin/alignscope.mjs" "$@"
}
in_python() {
  HOME=$python_home PYTHONDONTWRITEBYTECODE=1 "$@"
}

case "${1:-}" in
verify) exec "$node" "$here/unpack.mjs" verify ;;
-h | --help)
  sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
  exit 0
  ;;
--* | "") ;;
*)
  cd "$invoked" || exit 1
  exec "$node" "$here/src/cli/bin/alignscope.mjs" "$@"
  ;;
esac

only=parity,bench,peer,reproduce
shape=gpt2
while [ $# -gt 0 ]; do
  case "$1" in
  --only) only=${2:?--only needs a list} ;;
  --shape) shape=${2:?--shape needs a name} ;;
  *) fail "unknown option: $1 (expected --only LIST or --shape NAME)" ;;
  esac
  shift 2
done
for step in $(echo "$only" | tr , ' '); do
  case "$step" in
  parity | bench | peer | reproduce) ;;
  *) fail "unknown step: $step (expected some of parity, bench, peer, reproduce)" ;;
  esac
done
wants() {
  case ",$only," in *",$1,"*) return 0 ;; *) return 1 ;; esac
}

# ---- the steps; one that fails does not keep the others from running
cd "$here" || exit 1
failed=
backends=
measured=
for backend in cuda webgpu wasm; do
  if found=$("$node" unpack.mjs opens "$backend" 2>/dev/null); then
    backends="$backends $backend"
    # A software driver computes right, at a thousandth of the speed: its figures would take an hour and say nothing.
    case "$found" in
    *"software adapter"*) echo "[backends] $backend is for parity only: $found" ;;
    *) measured="$measured $backend" ;;
    esac
  else
    echo "[backends] without $("$node" unpack.mjs opens "$backend" 2>&1 | tail -n 1)"
  fi
done
if wants parity; then
  for backend in $backends; do
    echo "[parity] on $backend, with float64 golden values"
    alignscope parity test/fixtures/tiny-gpt2 --backend "$backend" || failed="$failed parity-$backend"
  done
fi
if wants bench; then
  for backend in $measured; do
    echo "[bench] on $backend at shape $shape: results/bench-$backend.json"
    if alignscope bench --json --shape "$shape" --backend "$backend" >results/bench-"$backend".part; then
      mv results/bench-"$backend".part results/bench-"$backend".json
    else
      failed="$failed bench-$backend"
    fi
  done
fi
if wants peer; then
  python=
  for candidate in python3 /usr/bin/python3; do
    if in_python "$candidate" -c 'import torch' >/dev/null 2>&1; then
      python=$candidate
      break
    fi
  done
  if [ -z "$python" ]; then
    echo "[peer] passed over: no python3 with torch on this host"
  else
    devices=cpu
    in_python "$python" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())' && devices="cuda cpu"
    for device in $devices; do
      echo "[peer] PyTorch on $device at shape $shape: results/bench-torch-$device.json"
      if in_python "$python" src/cli/bench/pytorch_peer.py --json --shape "$shape" --device "$device" >results/bench-torch-"$device".part; then
        mv results/bench-torch-"$device".part results/bench-torch-"$device".json
      else
        failed="$failed peer-$device"
      fi
    done
    for backend in $backends; do
      for device in $devices; do
        [ -f results/bench-"$backend".json ] && [ -f results/bench-torch-"$device".json ] || continue
        echo "[peer] $backend beside PyTorch on $device"
        alignscope bench compare results/bench-"$backend".json results/bench-torch-"$device".json
      done
    done
  fi
fi
if wants reproduce; then
  echo "[reproduce] every notebook: outputs/lab/site/index.html"
  alignscope reproduce || failed="$failed reproduce"
fi
[ -z "$failed" ] || fail "failed:$failed"
