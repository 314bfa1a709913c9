"""Time of a training step with DC3, beside the strategy alone in plain PyTorch.

    python benchmarks/beside_pytorch.py --torch_python /path/to/python \
        --output benchmarks/results/beside_pytorch.json

Processes take turns, a few steps each, so that the load of the machine meets all alike:

    ours      `DC3Model(wide_resnet, ssl)` with `DC3Config()`, its compiled step
    torch     WRN-28-2 and the strategy alone, eager, in the passes of its paper

Both train on the same number of random images of 32x32 pixels, which are ready in
memory, with Nesterov momentum, an L2 penalty and an average of the weights. PyTorch is
given what makes it faster and changes nothing: views without gradient are computed
without it, images lie in `channels_last`, and optimizer and average loop over all
weights at once. Under `mixed_bfloat16` it computes in `autocast`. It may stand in an
environment of its own, with NumPy and absl-py: `--torch_python`. The figures are the
medians over the turns, and of the ratios turn by turn. Each call adds a dtype to what
the output file has.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from absl import app, flags
from worker import Worker, serve, train

FLAGS = flags.FLAGS
STRATEGIES = ("pi_model", "mean_teacher", "pseudo_label", "fixmatch")
WAYS = ("ours", "torch")
SETTINGS = ("batch_size", "turns", "steps", "threads")
DECAY, CLASSES = 0.999, 10

flags.DEFINE_list("strategies", list(STRATEGIES), "Which strategies.")
flags.DEFINE_integer("batch_size", 64, "Labeled images, and unlabeled ones.")
flags.DEFINE_integer("turns", 7, "Measured turns of each.", lower_bound=3)
flags.DEFINE_integer("steps", 3, "Steps of a turn.", lower_bound=1)
flags.DEFINE_enum("dtype", "float32", ["float32", "mixed_bfloat16"], "Of networks.")
flags.DEFINE_integer("threads", 2, "Of each process.", lower_bound=1)
flags.DEFINE_string("torch_python", sys.executable, "A Python that has PyTorch.")
flags.DEFINE_string("output", None, "JSON file for the result.")
flags.DEFINE_string("worker", None, "Internal: strategy and way of a process.")


def wide_resnet() -> Any:
    """Returns WRN-28-2 with its head, as `backbones.wide_resnet` computes it."""
    import torch
    from torch import nn

    def activate(channels: int) -> nn.Module:
        norm = nn.BatchNorm2d(channels, eps=1e-3, momentum=0.001)
        return nn.Sequential(norm, nn.LeakyReLU(0.1, inplace=True))

    class Residual(nn.Module):
        """A residual block before which there is an activation."""

        def __init__(self, before: int, after: int, stride: int, first: bool):
            super().__init__()
            self.first = first
            self.activate = activate(before)
            self.body = nn.Sequential(
                nn.Conv2d(before, after, 3, stride, 1),
                activate(after),
                nn.Conv2d(after, after, 3, 1, 1),
            )
            changes = before != after or stride != 1
            self.shortcut = (
                nn.Conv2d(before, after, 1, stride) if changes else nn.Identity()
            )

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            activated = self.activate(x)
            return self.shortcut(activated if self.first else x) + self.body(activated)

    layers: list[nn.Module] = [nn.Conv2d(3, 16, 3, 1, 1)]
    before = 16
    for scale in range(3):
        for block in range(4):
            stride = 2 if scale and not block else 1
            after = 32 << scale
            layers.append(Residual(before, after, stride, not scale and not block))
            before = after
    layers += [activate(before), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(before, CLASSES))


def torch_step(ssl: str) -> Callable[[], float]:
    """Returns a training step of a strategy in PyTorch, which returns the loss."""
    import copy

    import torch
    from torch.nn import functional as F

    torch.set_num_threads(FLAGS.threads)
    torch.manual_seed(0)
    model = wide_resnet().to(memory_format=torch.channels_last)
    average = copy.deepcopy(model).requires_grad_(False)
    optimizer = torch.optim.SGD(
        model.parameters(), 0.03, 0.9, weight_decay=5e-4, nesterov=True, foreach=True
    )
    n = FLAGS.batch_size

    def images() -> torch.Tensor:
        found = torch.rand(n, 3, 32, 32)
        return found.contiguous(memory_format=torch.channels_last)

    labeled, first, second = images(), images(), images()
    labels = torch.randint(CLASSES, (n,))

    def without_gradient(network: Any, view: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            return network(view).float()

    def of_joint(*views: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return model(torch.cat(views)).float().split(n)

    def losses() -> torch.Tensor:
        if ssl in ("pi_model", "mean_teacher"):
            network = average if ssl == "mean_teacher" else model
            target = without_gradient(network, first).softmax(-1)
            given, student = of_joint(labeled, second)
            unlabeled = F.mse_loss(student.softmax(-1), target)
        elif ssl == "pseudo_label":
            given, student = of_joint(labeled, first)
            confidence, classes = student.detach().softmax(-1).max(-1)
            each = F.cross_entropy(student, classes, reduction="none")
            unlabeled = (each * (confidence >= 0.95)).mean()
        else:
            given, weak, strong = of_joint(labeled, first, second)
            confidence, classes = weak.detach().softmax(-1).max(-1)
            each = F.cross_entropy(strong, classes, reduction="none")
            unlabeled = (each * (confidence >= 0.95)).mean()
        return F.cross_entropy(given, labels) + unlabeled

    def step() -> float:
        half = FLAGS.dtype != "float32"
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            loss = losses()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            own = list(average.parameters())
            torch._foreach_lerp_(own, list(model.parameters()), 1 - DECAY)
        return float(loss.detach())

    return step


def work_in_torch(ssl: str) -> None:
    """Trains a few steps for each line on standard input; answers with seconds."""
    import torch

    step = torch_step(ssl)
    for _ in range(3):
        step()

    def turn() -> float:
        start = time.perf_counter()
        for _ in range(FLAGS.steps):
            step()
        return (time.perf_counter() - start) / FLAGS.steps

    serve(turn, torch.__version__)


def work(ssl: str) -> None:
    """Trains a few steps of ours for each line; answers with seconds."""
    import keras
    import numpy as np
    import tensorflow as tf

    import keras_dc3

    tf.config.threading.set_intra_op_parallelism_threads(FLAGS.threads)
    keras.config.set_dtype_policy(FLAGS.dtype)
    keras.utils.set_random_seed(0)
    strategy = keras_dc3.strategies.get(ssl)
    if strategy.unlabeled_ratio > 1:
        strategy = type(strategy)(unlabeled_ratio=1)
    model = keras_dc3.DC3Model(
        keras_dc3.backbones.wide_resnet((32, 32, 3)),
        ssl=strategy,
        num_classes=CLASSES,
    )
    rng, n = np.random.default_rng(0), FLAGS.batch_size

    def images() -> Any:
        return tf.constant(rng.integers(0, 256, (n, 32, 32, 3)).astype("uint8"))

    x = {"labeled": images(), "unlabeled": {v: images() for v in model.ssl.views}}
    model.build((None, 32, 32, 3))
    model.make_train_function()
    data = tf.data.Dataset.from_tensors((x, tf.constant(rng.integers(0, CLASSES, n))))
    batches = iter(data.repeat())
    for _ in range(3):
        model.train_function(batches)
    serve(lambda: train(model, batches, FLAGS.steps) / FLAGS.steps)


def measure(ssl: str) -> dict[str, Any]:
    """Returns medians, ratios and all raw figures of one strategy."""
    pythons = {"ours": sys.executable, "torch": FLAGS.torch_python}
    workers = {way: Worker(f"{ssl},{way}", python=pythons[way]) for way in WAYS}
    version = [worker.read() for worker in workers.values()][1]
    seconds: dict[str, list[float]] = {way: [] for way in WAYS}
    for turn in range(FLAGS.turns):
        for way in WAYS if turn % 2 else WAYS[::-1]:
            workers[way].go()
            seconds[way].append(workers[way].read())
    for worker in workers.values():
        worker.stop()
    ratios = [a / b for a, b in zip(seconds["ours"], seconds["torch"], strict=True)]
    medians = {way: statistics.median(of) for way, of in seconds.items()}
    return {
        "seconds_per_step": medians,
        "ratio": statistics.median(ratios),
        "all_seconds": seconds,
        "torch": version,
    }


def main(argv: list[str]) -> None:
    """Runs the benchmark, or one of its processes."""
    del argv
    if FLAGS.worker:
        ssl, way = FLAGS.worker.split(",")
        (work_in_torch if way == "torch" else work)(ssl)
        return
    import record

    settings: dict[str, Any] = {name: FLAGS[name].value for name in SETTINGS}
    settings["load_before"] = round(os.getloadavg()[0], 1)
    results: dict[str, Any] = {}
    if FLAGS.output and os.path.exists(FLAGS.output):
        results = json.loads(Path(FLAGS.output).read_text("utf-8"))["results"]
    of_dtype = results[FLAGS.dtype] = {}
    for ssl in FLAGS.strategies:
        found = of_dtype[ssl] = measure(ssl)
        print(ssl, FLAGS.dtype, found["seconds_per_step"], found["ratio"], flush=True)
        if FLAGS.output:
            record.write(FLAGS.output, results, settings, ("keras", "tensorflow"))


if __name__ == "__main__":
    app.run(main)
