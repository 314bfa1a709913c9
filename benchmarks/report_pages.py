"""What stands on which page of benchmarks/results, and under which heading."""

from collections.abc import Iterable
from typing import Any

NAMES = {
    "cifar10h": "CIFAR-10H",
    "fashionmnist_h": "Fashion-MNIST-H",
    "shape_texture16": "shape-texture",
}
# The parts of a page on a study, by their names in `evidence.sections`.
STUDY = {
    "Scores of DC3, and what they must be compared with": "overall",
    "Table 2: best runs": "table2",
    "All runs, and what to read them against": "context",
    "Clusters on common images": "clusters",
    "Table 4: what each part contributes, with Mean-Teacher and Pi-Model": "table4",
    "Did the unlabeled images help?": "helped",
    "Every run": "runs",
}


def _of_strategies(title: str) -> dict[str, str]:
    """Returns heading -> section of a page on strategies."""
    return {
        "In short": f"{title} summary",
        "Do unlabeled images help?": f"{title} unlabeled",
        "Does DC3 help?": f"{title} dc3",
        "What the differences are of": f"{title} levels",
    }


# Page -> title, and heading -> section.
Page = tuple[str, dict[str, str]]
PAGES: dict[str, Page] = {
    "speed": (
        "Time and memory",
        {
            "A training step": "step",
            "A training step by batch, classes and clusters": "costs",
            "A training step within fit": "fit",
            "A training step beside PyTorch": "beside_pytorch",
            "Runs side by side": "throughput",
            "Reading annotations": "annotations",
            "Images from disk": "pipeline",
            "Scoring by an exported model": "scoring",
            "Asking about millions of images": "millions",
            "A server of review sheets": "serving",
            "Exported models": "exporting",
        },
    ),
    "average": (
        "The average of the weights in short trainings",
        {"Students": "average", "Teachers": "average_teacher"},
    ),
    "disagreement": (
        "People's disagreement, learned from their answers",
        {"By features that were computed before": "disagreement"},
    ),
    "ambiguity": (
        "Ambiguity on features, and what it must be compared with",
        {"Trained models": "ambiguity"},
    ),
    "projects": (
        "Whole projects, simulated",
        {"Labels by cost, round after round": "projects"},
    ),
    "strategies": (
        "Strategies on features, alone and with DC3",
        _of_strategies("strategies"),
    ),
    "strategies_pixels": (
        "Strategies from pixels, alone and with DC3",
        _of_strategies("strategies_pixels"),
    ),
    "stopping": (
        "When to stop asking, simulated",
        {"Where the rule stops, and where it should": "stopping"},
    ),
    "prior": (
        "How many images to call ambiguous",
        {"By rule": "prior", "All figures": "prior cells"},
    ),
    "networks": (
        "Learning from pixels",
        {"Networks in the same CPU time": "networks", "Recipes": "recipe"},
    ),
    "defaults": (
        "The defaults, against simpler things and other recipes",
        {"In short": "defaults summary", "Accuracy": "defaults"},
    ),
    "several_looks": (
        "Histories and ensembles",
        {"Are several looks worth more than the last one?": "several_looks"},
    ),
    "labels": ("All answers to an image, or one of them", {"On features": "labels"}),
    "page_work": (
        "A review sheet at work, simulated",
        {"1,000 images, before and now": "page_work"},
    ),
    "unfinished": (
        "The paper's network and length, CIFAR-10H",
        {"What the runs had reached": "unfinished"},
    ),
    "table3_simulated": (
        "Table 3, simulated: labels from proposals",
        {
            "Labels from proposals": "table3_simulated",
            "The same network trained again": "table3_retrained",
        },
    ),
    "examples": (
        "What the examples print",
        {"examples/quickstart.py": "quickstart", "examples/cifar10h.py": "cifar10h"},
    ),
}


def made_by(*records: dict[str, Any]) -> str:
    """Returns by which commands records were made, when, and with what."""
    made = "; ".join(f"`{r['command']}` on {r['date']}" for r in records)
    versions = ", ".join(f"{k} {v}" for k, v in records[0]["versions"].items())
    return f"Made by {made} ({records[0]['cores']} CPU cores; {versions})."


def layout(studies: Iterable[str]) -> dict[str, Page]:
    """Returns all pages: those above, and one for each study."""
    of_studies = {}
    for study in studies:
        protocol, dataset = study.split("-")
        parts = {heading: f"{study} {name}" for heading, name in STUDY.items()}
        parts["How they were made"] = f"{study} cells"
        of_studies[study] = (f"{NAMES[dataset]}, the {protocol} protocol", parts)
    return {**PAGES, **of_studies}
