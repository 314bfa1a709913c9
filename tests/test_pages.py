"""The code that the README and the pages of `docs/` show runs as printed."""

import functools
import json
import re
import shutil
import types
import urllib.request
from pathlib import Path

import keras
import numpy as np
import pytest

import keras_dc3
from keras_dc3.project.rounds import new_round
from tests.datasets.folders import table, write
from tests.project import helpers as projects
from tests.review import helpers
from tests.serving.clients import Client

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCED = re.compile(r"```python\n(.*?)```", flags=re.DOTALL)
BLOCKS = {path.name: FENCED.findall(path.read_text("utf-8")) for path in PAGES}
RUN = set()  # page and number of each block that a test here runs
pytestmark = [
    pytest.mark.usefixtures("without_graphs"),
    *(
        pytest.mark.filterwarnings(f"ignore:{told}")
        for told in ("This training ends after", "Agreement:", "Merged images:")
    ),
]


def runs(page, *numbers):
    """Marks a test that runs blocks of a page; without numbers, all of them."""

    def mark(test):
        RUN.update((page, n) for n in numbers or range(len(BLOCKS[page])))
        return test

    return mark


def execute(page, names, *numbers, **changes):
    """Runs blocks of a page, one after the other; without numbers, all of them.

    Args:
        page: its file name.
        names: what the blocks find defined; what they define is added.
        numbers: of the blocks.
        changes: word -> what stands instead of each number in `word=number`.
    """
    names.setdefault("keras_dc3", keras_dc3)
    for n in numbers or range(len(BLOCKS[page])):
        code = BLOCKS[page][n]
        for word, value in changes.items():
            code = re.sub(rf"\b{word}=\d+", f"{word}={value}", code)
        exec(compile(code, f"{page}, block {n}", "exec"), names)
    return names


def test_every_block_is_run():
    shown = {(page, n) for page, blocks in BLOCKS.items() for n in range(len(blocks))}
    assert shown == RUN


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_lead_to_files_and_headings(path):
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text("utf-8")):
        name, _, heading = target.partition("#")
        if name.startswith("https:"):
            continue
        found = path.parent / name if name else path
        assert found.exists(), target
        if heading:
            titles = re.findall(r"^#+ (.*)$", found.read_text("utf-8"), re.MULTILINE)
            slugs = [re.sub(r"[^a-z0-9 -]", "", t.lower()) for t in titles]
            assert heading in [slug.replace(" ", "-") for slug in slugs], target


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with images and every table that the pages name."""
    pytest.importorskip("PIL")
    files = [f"{i}.png" for i in range(60)]
    rows = [
        (name, person, ("cod", "haddock")[(i + (i % 3 == 0 and person == "ann")) % 2])
        for i, name in enumerate(files[:40])
        for person in ("ann", "ben")
    ]
    write(tmp_path / "fish", files)
    table(tmp_path / "answers.csv", rows)
    (tmp_path / "votes.csv").write_text("file,ann,ben\n0.png,cod,?\n1.png,eel,cod\n")
    answer = {"type": "choices", "from_name": "class", "value": {"choices": ["cod"]}}
    task = {
        "id": 1,
        "data": {"image": "/data/local-files/?d=fish/7.png"},
        "annotations": [{"id": 1, "completed_by": 5, "result": [answer]}],
    }
    (tmp_path / "export.json").write_text(json.dumps([task]))
    line = {"photo": "7.png", "user": "ann", "species": "cod", "ms": 1500}
    (tmp_path / "answers.jsonl").write_text(json.dumps(line) + "\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def data(rng):
    """A small data set."""
    images = rng.integers(0, 256, (36, 8, 8, 3)).astype("uint8")
    counts = rng.multinomial(5, [0.5, 0.3, 0.2], size=36)
    return keras_dc3.datasets.from_arrays(
        images, counts, labeled=12, unlabeled=12, validation=12, batch_size=6
    )


@pytest.fixture
def tiny_network(monkeypatch):
    """Makes networks by name a small one with random weights, whatever is asked for."""

    def make(name, weights="imagenet", image_size=None):
        layers = [
            keras.layers.Conv2D(4, 8, strides=8),
            keras.layers.BatchNormalization(),
        ]
        network = keras.Sequential([keras.Input((16, 16, 3)), *layers])
        backbone = keras_dc3.backbones.Backbone(network, "tf", (16, 16))
        return backbone

    monkeypatch.setattr("keras_dc3.backbones.applications.make", make)


@runs("README.md", 0)
def test_the_first_screen(folder, tiny_network):
    """On images of a folder, for one epoch, with a small network in the place of B0."""
    model = execute("README.md", {}, 0, epochs=1)["model"]
    assert model.image_shape == (224, 224, 3) and not model.backbone.trainable_weights
    proposals = keras_dc3.Proposals.from_csv("proposals.csv")
    assert proposals.class_names == ("cod", "haddock")


@pytest.mark.slow
@pytest.mark.tensorflow
@runs("backbones.md")
def test_backbones(folder, tiny_network):
    layers = [keras.layers.Conv2D(4, 3), keras.layers.GlobalAveragePooling2D()]
    top = keras.layers.Dense(2, activation="softmax")
    network = keras.Sequential([keras.Input((16, 16, 3)), *layers, top])
    network.save("classifier.keras")
    names = {"keras": keras}
    execute("backbones.md", names, 0, 1, 2, training_steps=2, epochs=1)
    assert names["model"].backbone.trainable_weights
    with pytest.warns(UserWarning, match="is left out"):
        execute("backbones.md", names, 3)
    assert names["backbone"](np.zeros((1, 16, 16, 3), "uint8")).shape == (1, 4)


@runs("README.md", 1)
def test_the_first_lines(tmp_path, monkeypatch, rng):
    """On made-up data of the same shape, for a second."""
    counts = rng.multinomial(50, np.full(10, 0.1), size=100)
    images = rng.integers(0, 256, (100, 32, 32, 3)).astype("uint8")
    data = keras_dc3.datasets.from_arrays(images, counts)
    monkeypatch.setattr(keras_dc3.datasets, "load", lambda name, data_dir: data)
    monkeypatch.chdir(tmp_path)
    execute("README.md", {}, 1, time_limit=1)
    proposals = keras_dc3.Proposals.from_csv("proposals.csv")
    assert proposals.class_names == tuple(map(str, range(10)))


@runs("README.md", 2)
def test_a_folder_and_a_table(folder):
    data = execute("README.md", {}, 2)["data"]
    assert data.image_shape == (64, 64, 3)
    assert data.class_names == ("cod", "haddock")


@pytest.mark.tensorflow
@runs("quickstart.md")
def test_the_quick_start(tmp_path, monkeypatch):
    for package in ("sklearn", "matplotlib"):
        pytest.importorskip(package)
    monkeypatch.chdir(tmp_path)
    few = functools.partial(keras_dc3.datasets.load, num_images=300)
    monkeypatch.setattr(keras_dc3.datasets, "load", few)
    names = execute("quickstart.md", {}, epochs=1)
    layer = keras.layers.TFSMLayer("saved_model", call_endpoint="serving_default")
    images = names["data"].unlabeled.images[:2]
    assert layer(images)["cluster_probabilities"].shape == (2, 50)
    assert Path("proposals.png").exists() and Path("review.html").exists()


@runs("own-images.md", 0)
def test_from_a_folder_to_proposals(folder):
    pytest.importorskip("matplotlib")
    data = execute("own-images.md", {}, 0, time_limit=1)["data"]
    proposals = keras_dc3.Proposals.from_csv("proposals.csv")
    assert set(proposals.ids) == set(data.unlabeled.ids)
    assert (folder / "examples.png").exists()


@runs("own-images.md", 1)
def test_arrays_of_ones_own(rng):
    names = {
        "images": rng.integers(0, 256, (60, 8, 8, 3)).astype("uint8"),
        "counts": rng.multinomial(4, [0.5, 0.3, 0.2], size=60),
        "file_names": [f"{i}.png" for i in range(60)],
    }
    data = execute("own-images.md", names, 1)["data"]
    assert data.class_names == ("cod", "haddock", "neither")


@runs("annotations.md")
def test_forms_of_annotations(folder):
    names = execute("annotations.md", {})
    assert names["answers"].class_names == ("cod", "haddock")
    assert names["votes"].counts.sum() == 3
    assert names["reviewed"].counts.sum() == 1
    again = keras_dc3.Annotations.from_csv("annotations.csv")
    assert again.counts.sum() == 81
    assert names["from_the_field"].records.seconds.tolist() == [1.5]


@runs("data-sets.md")
def test_a_published_data_set(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    counts = np.random.default_rng(0).multinomial(5, [0.5, 0.5], size=40)
    images = np.zeros((40, 16, 16, 3), "uint8")
    data = keras_dc3.datasets.from_arrays(images, counts)
    monkeypatch.setattr(keras_dc3.datasets, "load", lambda name, data_dir: data)
    monkeypatch.chdir(tmp_path)
    execute("data-sets.md", {})
    assert Path("examples.png").exists() and Path("split.json").exists()


@pytest.mark.slow
@runs("training.md", 0, 1)
def test_training_and_a_look_before_it(data, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    names = {"data": data}
    execute("training.md", names, 0, 1, time_limit=1)
    assert len(names["model"].history.epoch) == 1 and Path("views.png").exists()


@pytest.fixture
def exported(folder, make_backbone):
    """A folder with an exported model."""
    pytest.importorskip("pyarrow")
    model = keras_dc3.DC3Model(make_backbone(), num_classes=2)
    model.build((None, 8, 8, 3))
    model.export("exported")


@pytest.mark.tensorflow
@runs("scale.md", 0, 2)
def test_scoring(exported):
    names = execute("scale.md", {}, 0, 2)
    assert len(names["proposals"]) == names["summary"].images == 60
    assert names["asked"].questions == names["proposals"].next(budget=500).questions
    assert Path("round-1.html").exists()


@pytest.mark.tensorflow
@runs("scale.md", 1)
def test_scoring_by_a_pipeline(exported):
    pytest.importorskip("apache_beam")
    assert execute("scale.md", {}, 1)["summary"].images == 60


@pytest.mark.slow
@runs("training.md", 2)
def test_the_best_epoch_is_kept(make_backbone, data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = keras_dc3.DC3Model(make_backbone(), training_steps=4)
    names = execute("training.md", {"keras": keras, "model": model, "data": data}, 2)
    history = model.history.history["val_selective_score"]
    assert len(history) == 2 and names["best"].best == max(history)
    kept = keras.saving.load_model("best.keras")
    figures = kept.evaluate(data, verbose=0, return_dict=True)
    assert figures["selective_score"] == pytest.approx(max(history))


@pytest.mark.slow
@pytest.mark.tensorflow
@runs("features.md", 0)
def test_features_of_a_backbone(folder):
    names = {"backbone": keras_dc3.backbones.small_cnn((64, 64, 3), filters=2)}
    names = execute("features.md", names, 0, epochs=1, training_steps=2)
    layer = keras.layers.TFSMLayer("saved_model", call_endpoint="serving_default")
    assert layer(np.zeros((2, 64, 64, 3), "uint8"))["ambiguity"].shape == (2,)
    assert Path("review.html").exists() and Path("features/weak.npy").exists()


@runs("features.md", 1)
def test_features_of_any_network(folder, rng):
    np.save("embeddings.npy", rng.normal(size=(60, 16)).astype("float16"))
    names = {"file_names": [f"{i}.png" for i in range(60)]}
    names = execute("features.md", names, 1, epochs=1, training_steps=2)
    proposals = keras_dc3.Proposals.from_csv("proposals.csv")
    assert set(proposals.ids) == set(names["data"].unlabeled.ids)


@runs("strategies.md")
def test_a_strategy_of_ones_own_is_short_and_keeps_the_contract(make_backbone):
    (code,) = [block for block in BLOCKS["strategies.md"] if "class Sharp" in block]
    body = code[code.index("@keras.saving") : code.index("check_strategy(Sharp")]
    lines = [line for line in body.splitlines() if line.strip()]
    assert len(lines) <= 25
    execute("strategies.md", {"backbone": make_backbone()})


@runs("studies.md")
def test_the_study():
    """Another process imports it; the guard keeps it from training there."""
    names = execute("studies.md", {"__name__": "study"})
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (20, 16, 16, 1)).astype("uint8")
    data = keras_dc3.datasets.from_arrays(images, np.eye(4)[np.arange(20) % 4])
    config = keras_dc3.DC3Config()
    model = names["make_model"](data, "pi_model", config, training_steps=10)
    assert model.training_steps == 10 and model.config == config


@pytest.fixture
def proposed(folder):
    """Proposals for images in a folder."""
    proposals, images = helpers.make_proposals(60), helpers.make_images(60)
    helpers.write_folder(folder / "fish", images, proposals.ids)
    labeled = keras_dc3.data.ImageSet(
        images[:4], list("abcd"), class_names=proposals.class_names
    )
    unlabeled = keras_dc3.data.ImageSet(images, proposals.ids)
    data = keras_dc3.data.SemiSupervisedData(labeled, [0, 1, 2, 0], unlabeled)
    return {"proposals": proposals, "data": data}


@pytest.fixture
def reviewed(proposed, folder):
    """The same, and a page that two people answered."""
    execute("review-round.md", proposed, 0)
    anna, ben = people("review.html")
    helpers.save(folder / "review-anna.json", anna)
    (folder / "review-ben.csv").write_text(helpers.as_csv(ben), "utf-8")
    return proposed


def people(page):
    """Two people's answers to a page, drawn at random."""
    rng = np.random.default_rng(0)
    return [
        helpers.answer(page, name, lambda image, proposed: int(rng.integers(3)))
        for name in ("anna", "ben")
    ]


@runs("README.md", 3)
def test_features_in_a_few_lines(folder, rng):
    np.save("embeddings.npy", rng.normal(size=(60, 16)).astype("float16"))
    names = {"file_names": [f"{i}.png" for i in range(60)]}
    assert execute("README.md", names, 3, time_limit=1)["model"].steps_taken


@runs("README.md", 4)
def test_review_in_a_few_lines(reviewed):
    execute("README.md", reviewed, 4)
    assert len(reviewed["data"].labeled) > 4 and reviewed["data"].labels.ndim == 2


@runs("review-round.md")
def test_a_round_of_review(reviewed):
    execute("review-round.md", reviewed, 1)
    assert reviewed["labels"].shrunk_labels.shape == (60, 3)
    assert Path("round-2.html").exists()
    assert len(reviewed["data"].labeled) > 4 and reviewed["data"].labels.ndim == 2


@pytest.mark.filterwarnings("ignore:Where people disagree was not learned")
@runs("proposals.md")
def test_groups_pictures_and_what_to_ask_next(reviewed, capsys):
    for package in ("pyarrow", "matplotlib", "sklearn"):
        pytest.importorskip(package)
    features = np.random.default_rng(0).normal(size=(60, 5))
    reviewed["proposals"].embeddings = features  # as those of `model.propose`
    reviewed["proposals"].to_parquet("proposals.parquet")
    execute("review-round.md", reviewed, 1)  # the answers
    given = reviewed["proposals"]
    known = types.SimpleNamespace(soft_labels=np.eye(3)[np.arange(60) % 3])
    reviewed["data"] = types.SimpleNamespace(
        validation=known, unlabeled=reviewed["data"].unlabeled
    )
    reviewed["model"] = types.SimpleNamespace(propose=lambda part: given)
    capsys.readouterr()
    execute("proposals.md", reviewed)
    told = capsys.readouterr().out
    assert "the model says" in told and "Ask about" in told
    assert Path("clusters.png").exists() and Path("embedding.png").exists()
    tasks = Path("tasks.jsonl").read_text("utf-8").splitlines()
    images = [json.loads(task)["image"] for task in tasks]
    assert sorted(images) == sorted(reviewed["proposals"].ids)


@runs("predictions.md", 0)
def test_predictions_of_ones_own(proposed):
    lines = [f"{row.id},{','.join(map(str, p))}" for row, p in _rows(proposed)]
    Path("predictions.csv").write_text("\n".join(["image,cat,dog,deer", *lines]))
    ids = [row.id for row, _ in _rows(proposed)]
    np.savez(
        "embeddings.npz", features=np.random.default_rng(0).random((60, 4)), ids=ids
    )
    names = execute("predictions.md", {}, 0)
    assert names["proposals"].ids == tuple(ids) and Path("review.html").exists()


def _rows(proposed):
    proposals = proposed["proposals"]
    return list(zip(proposals, proposals.class_probabilities.tolist(), strict=True))


@runs("predictions.md", 1)
def test_predictions_of_pytorch():
    torch = pytest.importorskip("torch")
    batches = [(torch.randn(5, 4), None), (torch.randn(3, 4), None)]
    model = torch.nn.Linear(4, 2)
    names = {"torch": torch, "model": model, "loader": batches, "names": [*"abcdefgh"]}
    execute("predictions.md", names, 1)


@runs("project.md")
def test_a_project(folder, monkeypatch, capsys):
    """But for the training, which takes minutes."""
    shutil.rmtree(folder / "fish")
    truth = projects.write_images(folder / "fish")
    projects.write_answers(folder / "answers.csv", truth, sorted(truth)[:30])

    def train(project, time_limit):
        new_round(project.folder, 1)
        projects.propose_by_hand(project, truth)

    with monkeypatch.context() as patched:
        patched.setattr(keras_dc3.Project, "train", train)
        names = execute("project.md", {}, 0)
    for person in ("anna", "ben"):
        page = f"fish-labels/round-1/sheets/round-1-{person}.html"
        projects.answer(page, f"review-{person}.json", person, truth)
    names = execute("project.md", names, 1)
    assert "As a table" in capsys.readouterr().out
    assert len(names["labels"]) == len(truth) and Path("labels.csv").exists()


@runs("review.md")
def test_review_sheets(reviewed):
    review = execute("review.md", reviewed)["review"]
    assert len(review.annotations.records) == len(review.proposed) == 120


@runs("serving.md")
def test_a_server_of_pages(proposed, folder):
    pytest.importorskip("aiohttp")
    execute("review-round.md", proposed, 0)

    def wait(text):
        client = Client(proposed["server"].addresses["anna"], "review.html", "anna")
        client.open("first")
        client.choose(0, client.whole["classes"][0])
        assert client.send()

    proposed["input"] = wait
    with pytest.warns(UserWarning, match="59 of 60 images have no valid answer"):
        found = execute("serving.md", proposed, port=0)["review"]
    assert found.annotations.annotators == ("anna",)


@pytest.mark.slow
@pytest.mark.tensorflow
@runs("exported.md")
def test_exported_models(folder, make_backbone, monkeypatch, capsys):
    """TensorFlow Serving is a small server that speaks its REST."""
    pytest.importorskip("tf2onnx", reason="needs keras_dc3[onnx]")
    pytest.importorskip("ai_edge_litert", reason="needs keras_dc3[litert]")
    from tests.models.rest import serving

    data = keras_dc3.datasets.from_directory(
        "fish", "answers.csv", image_size=(8, 8), labeled=20
    )
    model = keras_dc3.DC3Model(make_backbone(width=2), training_steps=1)
    model.fit(data, epochs=1, steps_per_epoch=1, verbose=0)
    images = data.labeled.read(range(3))
    names = {"model": model, "data": data, "images": images}
    execute("exported.md", names, 0, 1, 2, 3)
    told = capsys.readouterr().out
    assert told.count("['cod', 'haddock']") == 2 and "['cod', 'haddock', '']" in told
    opened = urllib.request.urlopen
    with serving("served/dc3", "dc3") as address:
        port = address.split(":")[2].split("/")[0]
        monkeypatch.setattr(
            urllib.request, "urlopen", lambda a, b: opened(a.replace("8501", port), b)
        )
        execute("exported.md", names, 4)
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [row[0] in ("cod", "haddock") for row in rows] == [True, True]
    docker = (ROOT / "examples" / "serving" / "Dockerfile").read_text()
    page = (ROOT / "docs" / "exported.md").read_text("utf-8")
    for command in re.findall(r"^#     (docker .*)$", docker, re.MULTILINE):
        assert f"    {command}\n" in page
    base = re.search(r"^FROM (\S+)$", docker, re.MULTILINE)[1]
    assert f" {base}\n" in page and "COPY served/dc3 /models/dc3\n" in docker


@runs("agreement.md")
def test_agreement(reviewed, capsys):
    images = reviewed["data"].unlabeled
    for word, mode in (("blind", "none"), ("classes", "classes"), ("dc3", "dc3")):
        reviewed["proposals"].to_review(f"{word}.html", images, mode, control=0.3)
        for person in people(f"{word}.html"):
            helpers.save(Path(f"{word}-{person['annotator']}.json"), person)
    execute("agreement.md", reviewed)
    assert reviewed["labels"].soft_labels.shape == (60, 3)
    assert "speed-up" in capsys.readouterr().out


def test_commands_are_those_of_continuous_integration():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"^    (python -m venv .*)$", text, flags=re.MULTILINE)
    assert len(commands) == 2
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    install, test = commands[1].split(" && ")[1:]
    assert install.replace(".venv/bin", ".ci/venv/bin") in ci.replace(" --quiet", "")
    assert test.replace(".venv/bin", ".ci/venv/bin") in ci
