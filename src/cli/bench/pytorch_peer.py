#!/usr/bin/env python3
"""The peer of `alignscope bench`: the same work in PyTorch, with the same names and keys in its report.

    python3 src/cli/bench/pytorch_peer.py --json                     # everything, shape gpt2, all cores
    python3 src/cli/bench/pytorch_peer.py --only forward generate --device cuda
    python3 src/cli/bench/pytorch_peer.py --check DIR                # mean loss on the golden ids of a model folder

It needs Python 3.8 and torch 1.13 or newer, nothing else. A GPT-2 written by hand, as fast as PyTorch's own functions make
it without a compiler: fused layer norm and GELU, scaled_dot_product_attention where torch has it (2.0), a cache of keys and
values allocated once. Everything is float32; on CUDA, TF32 is off. Figures of matrix products count 2mkn per product.
"""
import argparse
import json
import math
import os
import platform
import resource
import struct
import sys
import time

import torch
import torch.nn.functional as F

# The shapes of shapes.ts.
SHAPES = {
    "lab": dict(layers=6, heads=6, context=128, vocab=4096, width=192),
    "lab12": dict(layers=12, heads=6, context=128, vocab=4096, width=192),
    "gpt2": dict(layers=12, heads=12, context=1024, vocab=50257, width=768),
    "gpt2-medium": dict(layers=24, heads=16, context=1024, vocab=50257, width=1024),
}
WORKS = ["ops", "model", "generate", "dpo-step"]
PRETRAIN = "pretrain"  # only where it is named
HAS_SDPA = hasattr(F, "scaled_dot_product_attention")
FILL_SECONDS = 0.05  # passes of microseconds are repeated until a measurement takes this long
LARGEST_CEILING = 4096
BETA = 0.1


# ---------------------------------------------------------------------------------------------------------------- model


class GPT2:
    """Weights by Hugging Face's names without `transformer.`, matrices [in, out] as GPT-2's Conv1D keeps them."""

    def __init__(self, shape, weights):
        self.shape = shape
        self.weights = weights
        device = weights["wte.weight"].device
        context = shape["context"]
        hidden = torch.ones(context, context, dtype=torch.bool, device=device).triu(1)
        self.mask = torch.zeros(context, context, device=device).masked_fill(hidden, float("-inf"))
        self.places = torch.arange(context, device=device)

    @staticmethod
    def random(shape, device):
        torch.manual_seed(0)
        width, weights = shape["width"], {}

        def normal(*size):
            return torch.randn(*size, device=device) * 0.02

        def projection(name, rows, columns):
            weights[name + ".weight"] = normal(rows, columns)
            weights[name + ".bias"] = torch.zeros(columns, device=device)

        def norm(name):
            weights[name + ".weight"] = torch.ones(width, device=device)
            weights[name + ".bias"] = torch.zeros(width, device=device)

        weights["wte.weight"] = normal(shape["vocab"], width)
        weights["wpe.weight"] = normal(shape["context"], width)
        for layer in range(shape["layers"]):
            norm(f"h.{layer}.ln_1")
            projection(f"h.{layer}.attn.c_attn", width, 3 * width)
            projection(f"h.{layer}.attn.c_proj", width, width)
            norm(f"h.{layer}.ln_2")
            projection(f"h.{layer}.mlp.c_fc", width, 4 * width)
            projection(f"h.{layer}.mlp.c_proj", 4 * width, width)
        norm("ln_f")
        return GPT2(shape, weights)

    def linear(self, name, x):
        return torch.addmm(self.weights[name + ".bias"], x, self.weights[name + ".weight"])

    def norm(self, name, x):
        weight, bias = self.weights[name + ".weight"], self.weights[name + ".bias"]
        return F.layer_norm(x, (self.shape["width"],), weight, bias, self.shape.get("epsilon", 1e-5))

    def attend(self, qkv, batch, layer, cache, past):
        heads, width = self.shape["heads"], self.shape["width"]
        q, k, v = (
            part.view(batch, -1, heads, width // heads).transpose(1, 2) for part in qkv.split(width, dim=1)
        )
        positions = q.shape[2]
        if cache is not None:
            keys, values = cache[layer]
            keys[:, :, past : past + positions] = k
            values[:, :, past : past + positions] = v
            k, v = keys[:, :, : past + positions], values[:, :, : past + positions]
        z = attention(q, k, v, self.mask, past)
        return z.transpose(1, 2).reshape(batch * positions, width)

    def hidden(self, ids, cache=None, past=0):
        """The final residual stream after its layer norm, [batch * position, width]."""
        batch, positions = ids.shape
        places = self.places[past : past + positions]
        x = F.embedding(ids, self.weights["wte.weight"]) + F.embedding(places, self.weights["wpe.weight"])
        x = x.view(batch * positions, -1)
        for layer in range(self.shape["layers"]):
            at = f"h.{layer}"
            qkv = self.linear(at + ".attn.c_attn", self.norm(at + ".ln_1", x))
            x = x + self.linear(at + ".attn.c_proj", self.attend(qkv, batch, layer, cache, past))
            wide = gelu(self.linear(at + ".mlp.c_fc", self.norm(at + ".ln_2", x)))
            x = x + self.linear(at + ".mlp.c_proj", wide)
        return x

    def logits(self, ids, cache=None, past=0, last_only=False):
        x = self.hidden(ids, cache, past)
        if last_only:
            x = x.view(ids.shape[0], ids.shape[1], -1)[:, -1]
        head = self.weights.get("lm_head.weight", self.weights["wte.weight"])
        return self.norm("ln_f", x) @ head.t()

    def token_losses(self, ids):
        """-log p of every token but the first, [batch, position - 1]."""
        logits = self.logits(ids).view(*ids.shape, -1)[:, :-1]
        losses = F.cross_entropy(logits.reshape(-1, logits.shape[-1]), ids[:, 1:].reshape(-1), reduction="none")
        return losses.view(ids.shape[0], -1)

    def next_token_losses(self, ids):
        """-log p of every token but the first, of sequences one token longer than what is read."""
        logits = self.logits(ids[:, :-1])
        return F.cross_entropy(logits.reshape(-1, logits.shape[-1]), ids[:, 1:].reshape(-1), reduction="none")

    @torch.inference_mode()
    def generate(self, prompts, new_tokens):
        batch, prompt = prompts.shape
        heads, width = self.shape["heads"], self.shape["width"]
        size = (batch, heads, prompt + new_tokens, width // heads)
        cache = [
            (torch.empty(size, device=prompts.device), torch.empty(size, device=prompts.device))
            for _ in range(self.shape["layers"])
        ]
        written, step, past = [], prompts, 0
        for _ in range(new_tokens):
            step_logits = self.logits(step, cache, past, last_only=True)
            past += step.shape[1]
            step = step_logits.argmax(-1, keepdim=True)
            written.append(step)
        return torch.cat(written, 1)


def gelu(x):
    return F.gelu(x, approximate="tanh")


def attention(q, k, v, mask, past=0):
    """Causal attention of [batch, head, position, head width]; queries are the last positions of the keys."""
    queries, keys = q.shape[2], k.shape[2]
    if HAS_SDPA:
        if queries == 1 or past == 0:  # a single query sees every key
            return F.scaled_dot_product_attention(q, k, v, is_causal=queries > 1)
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask[past : past + queries, :keys])
    scores = (q @ k.transpose(-2, -1)) * (1.0 / math.sqrt(q.shape[-1]))
    if queries > 1:
        scores = scores + mask[past : past + queries, :keys]
    return torch.softmax(scores, -1) @ v


# ------------------------------------------------------------------------------------------------------- safetensors


def load_model(folder, device):
    """A folder in Hugging Face's layout: config.json and model.safetensors in float32."""
    with open(os.path.join(folder, "config.json")) as file:
        config = json.load(file)
    with open(os.path.join(folder, "model.safetensors"), "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = bytearray(file.read())
    weights = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        if entry["dtype"] != "F32":
            sys.exit(f"pytorch_peer: {name} is {entry['dtype']}, expected F32")
        start, end = entry["data_offsets"]
        values = torch.frombuffer(data, dtype=torch.float32, count=(end - start) // 4, offset=start)
        weights[name[len("transformer.") :] if name.startswith("transformer.") else name] = (
            values.view(entry["shape"]).clone().to(device)
        )
    shape = dict(
        layers=config["n_layer"],
        heads=config["n_head"],
        context=config.get("n_positions") or config["n_ctx"],
        vocab=config["vocab_size"],
        width=config["n_embd"],
        epsilon=config.get("layer_norm_epsilon", 1e-5),
    )
    return GPT2(shape, weights)


def check(folder, device):
    """The mean next-token loss on the ids of golden.json's section `forward`."""
    with open(os.path.join(folder, "golden.json")) as file:
        golden = json.load(file)["forward"]
    model = load_model(folder, device)
    with torch.inference_mode():
        loss = model.token_losses(torch.tensor(golden["ids"], device=device)).mean().item()
    print(json.dumps({"folder": folder, "loss": loss, "golden": golden["loss"]}))


# ------------------------------------------------------------------------------------------------------------ timing


class Bench:
    def __init__(self, args, device):
        self.args, self.device = args, device
        self.shape = SHAPES[args.shape]
        self.ceiling = None
        self.results = []

    def wait(self):
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def measure(self, work, times=1):
        self.wait()
        started = time.perf_counter()
        for _ in range(times):
            work()
        self.wait()
        return (time.perf_counter() - started) / times

    def time(self, name, work, batch, positions, tokens, flops, fill=0.0, shape=None):
        reset_peak()
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats()
        work()  # not counted
        times, seconds = 1, self.measure(work)
        while fill > 0 and seconds * times < fill:
            times = math.ceil(times * min(10, 1.2 * fill / (seconds * times)))
            seconds = self.measure(work, times)
        samples = sorted(self.measure(work, times) for _ in range(self.args.repetitions))
        middle = (len(samples) - 1) / 2
        median = (samples[math.floor(middle)] + samples[math.ceil(middle)]) / 2
        gflops = None if flops is None else flops / median / 1e9
        if name == "matmul ceiling":
            self.ceiling = gflops
        self.results.append(
            {
                "name": name,
                "shape": shape or self.args.shape,
                "batch": batch,
                "positions": positions,
                "secondsPerPass": median,
                "secondsMin": samples[0],
                "secondsMax": samples[-1],
                "repetitions": self.args.repetitions,
                "peakMemoryBytes": peak_bytes(),
                "peakTensorBytes": torch.cuda.max_memory_allocated() if self.device.type == "cuda" else None,
                "tokensPerSecond": None if tokens is None else tokens / median,
                "gflops": gflops,
                "ofCeiling": None if gflops is None or self.ceiling is None else gflops / self.ceiling,
            }
        )
        print(f"{name}: {1e3 * median:.3g} ms", file=sys.stderr, flush=True)

    # ------------------------------------------------------------------------------------------------------- the work

    def run_ceiling(self):
        size = 256
        while True:
            a, b = torch.rand(size, size, device=self.device), torch.rand(size, size, device=self.device)
            with torch.inference_mode():
                torch.mm(a, b)
                if self.measure(lambda: torch.mm(a, b)) < 0.1 and size < LARGEST_CEILING:
                    size *= 2
                    continue
                text = f"{size}×{size}·{size}×{size}"
                self.time(
                    "matmul ceiling", lambda: torch.mm(a, b), 1, size, None, 2 * size**3, FILL_SECONDS, text
                )
            return

    def run_model(self, model):
        batch, positions = self.args.batch or 4, self.args.positions
        ids = self.ids(batch, positions)
        flops = forward_flops(self.shape, batch, positions)

        def forward():
            with torch.inference_mode():
                model.logits(ids)

        self.time("forward", forward, batch, positions, batch * positions, flops)
        if self.args.no_backward:
            return
        parameters = list(model.weights.values())
        for parameter in parameters:
            parameter.requires_grad_(True)

        def both():
            torch.autograd.grad(model.token_losses(ids).mean(), parameters)

        self.time("forward+backward", both, batch, positions, batch * positions, 3 * flops)
        for parameter in parameters:
            parameter.requires_grad_(False)

    def run_generate(self, model):
        batch, prompt, new = self.args.batch or 16, self.args.prompt, self.args.new_tokens
        prompts = self.ids(batch, prompt)
        flops = forward_flops(self.shape, batch, prompt, unembedded=1)
        flops += sum(forward_flops(self.shape, batch, 1, past=prompt + step - 1) for step in range(1, new))
        self.time("generate", lambda: model.generate(prompts, new), batch, prompt + new, batch * new, flops)

    def run_dpo_step(self, model):
        pairs, length = self.args.pairs, min(self.args.length, self.shape["context"])
        ids = self.ids(2 * pairs, length)
        with torch.inference_mode():
            reference = -model.token_losses(ids).sum(1)
        reference = reference.clone()
        parameters = [parameter.requires_grad_(True) for parameter in model.weights.values()]
        optimiser = torch.optim.RMSprop(parameters, lr=1e-6, **foreach_option())

        def step():
            optimiser.zero_grad(set_to_none=True)
            gain = -model.token_losses(ids).sum(1) - reference
            loss = -F.logsigmoid(BETA * (gain[:pairs] - gain[pairs:])).mean()
            loss.backward()
            optimiser.step()

        flops = 3 * forward_flops(self.shape, 2 * pairs, length)
        self.time("dpo-step", step, 2 * pairs, length, 2 * pairs * length, flops)
        for parameter in parameters:
            parameter.requires_grad_(False)
            parameter.grad = None

    def run_pretrain(self, model):
        """A step of the shape's whole context, in passes of 16 sequences, with AdamW: `alignscope bench pretrain`."""
        batch, length, passes = self.args.batch or 64, self.shape["context"], 16
        ids = self.ids(batch, length + 1)
        parameters = [parameter.requires_grad_(True) for parameter in model.weights.values()]
        optimiser = torch.optim.AdamW(parameters, lr=1e-3, **foreach_option())

        def step():
            optimiser.zero_grad(set_to_none=True)
            for part in ids.split(passes):
                (model.next_token_losses(part).sum() / (batch * length)).backward()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimiser.step()

        flops = 3 * forward_flops(self.shape, batch, length)
        self.time("pretrain adamw float32", step, batch, length, batch * length, flops)

    def run_ops(self):
        batch, positions = self.args.batch or 4, self.args.positions
        rows, width, heads, vocab = batch * positions, self.shape["width"], self.shape["heads"], self.shape["vocab"]
        wide = 4 * width

        def of(*size):
            return torch.rand(*size, device=self.device) * 2 - 1

        def product(name, a, b, m, k, n):
            with torch.inference_mode():
                self.time(name, lambda: a @ b, batch, positions, rows, 2 * m * k * n, FILL_SECONDS)

        def both(name, op, inputs, flops):
            with torch.inference_mode():
                self.time(name, lambda: op(*inputs), batch, positions, rows, flops, FILL_SECONDS)
            leaves = [value.detach().clone().requires_grad_(True) for value in inputs]
            with torch.no_grad():
                slope = torch.ones_like(op(*leaves))
            self.time(
                name + " forward+backward",
                lambda: torch.autograd.grad(op(*leaves), leaves, slope),
                batch,
                positions,
                rows,
                None if flops is None else 3 * flops,
                FILL_SECONDS,
            )

        product("matmul", of(rows, width), of(width, wide), rows, width, wide)
        product("matmul transposed-a", of(rows, width).t(), of(rows, wide), width, rows, wide)
        product("matmul transposed-b", of(rows, wide), of(width, wide).t(), rows, wide, width)
        product("matmul unembedding", of(rows, width), of(vocab, width).t(), rows, width, vocab)
        both(
            "linear",
            lambda x, w, b: torch.addmm(b, x, w),
            [of(rows, width), of(width, wide), of(wide)],
            2 * rows * width * wide,
        )
        both("layer-norm", lambda x, w, b: F.layer_norm(x, (width,), w, b), [of(rows, width), of(width), of(width)], None)
        both(
            "linear-gelu",
            lambda x, w, b: gelu(torch.addmm(b, x, w)),
            [of(rows, width), of(width, wide), of(wide)],
            2 * rows * width * wide,
        )
        hidden = torch.ones(positions, positions, dtype=torch.bool, device=self.device).triu(1)
        mask = torch.zeros(positions, positions, device=self.device).masked_fill(hidden, float("-inf"))

        def attend(qkv):
            q, k, v = (part.view(batch, -1, heads, width // heads).transpose(1, 2) for part in qkv.split(width, 1))
            return attention(q, k, v, mask).transpose(1, 2).reshape(rows, width)

        both("attention", attend, [of(rows, 3 * width)], 4 * rows * width * positions)
        ids = self.ids(1, rows)[0]
        both("cross-entropy", lambda x: F.cross_entropy(x, ids, reduction="none"), [of(rows, vocab)], None)
        both("embedding", lambda table: F.embedding(ids, table), [of(vocab, width)], None)

    def ids(self, batch, length):
        torch.manual_seed(1)
        return torch.randint(self.shape["vocab"], (batch, length), device=self.device)


def forward_flops(shape, batch, positions, past=0, unembedded=None):
    """As src/cli/bench/flops.ts counts them: products only, masked attention scores included."""
    rows, width = batch * positions, shape["width"]
    block = 2 * rows * width * 12 * width + 4 * rows * width * (positions + past)
    return shape["layers"] * block + 2 * batch * (unembedded or positions) * width * shape["vocab"]


def foreach_option():
    """One call for all parameters where this torch can, as it does by default from 2.0."""
    import inspect

    return {"foreach": True} if "foreach" in inspect.signature(torch.optim.RMSprop.__init__).parameters else {}


# ----------------------------------------------------------------------------------------------------------- machine


def reset_peak():
    """Linux lets a process start its largest resident set afresh; elsewhere it is the largest since it began."""
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    except OSError:
        pass


def peak_bytes():
    try:
        with open("/proc/self/status") as file:
            for line in file:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def cpu_name():
    try:
        with open("/proc/cpuinfo") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or "unknown"


def machine():
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        memory = 0
    return {
        "cpu": cpu_name(),
        "cores": os.cpu_count(),
        "memoryGiB": round(memory / 2**30),
        "platform": f"{sys.platform} {platform.machine()}",
        "runtime": f"python {platform.python_version()}, torch {torch.__version__}",
    }


def blas_name():
    """The library whose products were measured: a torch that links the system's BLAS does not know its name."""
    if torch.backends.mkl.is_available():
        return "MKL"
    try:
        with open("/proc/self/maps") as file:
            paths = {line.split()[-1] for line in file if "blas" in line or "mkl" in line or "blis" in line}
        names = sorted({os.path.realpath(path).split("/lib/")[-1] for path in paths if path.startswith("/")})
        if names:
            return ", ".join(names)
    except OSError:
        pass
    return "unknown"


def backend(device):
    cuda = device.type == "cuda"
    return {
        "backend": f"torch-{device.type}",
        "device": torch.cuda.get_device_name(device) if cuda else cpu_name(),
        "blas": f"cuBLAS, CUDA {torch.version.cuda}" if cuda else blas_name(),
        "threads": torch.get_num_threads(),
        "memoryLimitBytes": torch.cuda.get_device_properties(device).total_memory if cuda else None,
        "notes": ["float32", "TF32 off"] if cuda else ["float32"],
        "passedOver": [],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--json", action="store_true", help="one document with every figure")
    parser.add_argument("--shape", choices=list(SHAPES), default="gpt2")
    parser.add_argument("--only", nargs="+", choices=WORKS + ["forward", PRETRAIN], help="forward: model without its backward pass")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--threads", type=int, default=None, help="default: one per core of this process")
    parser.add_argument("--batch", type=int, help="default: 4; of generate 16")
    parser.add_argument("--positions", type=int, default=32)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--no-backward", action="store_true")
    parser.add_argument("--prompt", type=int, default=32)
    parser.add_argument("--new-tokens", type=int, default=20)
    parser.add_argument("--pairs", type=int, default=4)
    parser.add_argument("--length", type=int, default=128)
    parser.add_argument("--check", metavar="DIR", help="the mean loss on the ids of DIR/golden.json, and nothing else")
    args = parser.parse_args()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    torch.set_num_threads(args.threads or cores)
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    if args.device == "cuda" and not torch.cuda.is_available():
        sys.exit("pytorch_peer: this torch finds no CUDA device: use --device cpu")
    device = torch.device(args.device)
    if args.check:
        return check(args.check, device)

    only = args.only or WORKS
    if "forward" in only and "model" not in only:
        args.no_backward = True
        only = ["model" if work == "forward" else work for work in only]
    bench = Bench(args, device)
    bench.run_ceiling()
    if "ops" in only:
        bench.run_ops()
    if set(only) & {"model", "generate", "dpo-step", PRETRAIN}:
        model = GPT2.random(bench.shape, device)
        if "model" in only:
            bench.run_model(model)
        if "generate" in only:
            bench.run_generate(model)
        if "dpo-step" in only:
            bench.run_dpo_step(model)
        if PRETRAIN in only:
            bench.run_pretrain(model)
    report = {"machine": machine(), "backend": backend(device), "results": bench.results}
    if args.json:
        print(json.dumps(report, indent=2))
    else:
        print(f"{report['machine']['runtime']}, {report['backend']['blas']}, {report['backend']['threads']} threads")
        for result in bench.results:
            speed = "" if result["gflops"] is None else f"{result['gflops']:.3g} GFLOP/s"
            print(f"{result['name']:32} {1e3 * result['secondsPerPass']:10.3f} ms  {speed}")


if __name__ == "__main__":
    main()
