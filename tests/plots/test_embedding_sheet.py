"""The picture of where a network puts the images."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from keras_dc3.plots import plot_embedding
from keras_dc3.plots.projection import project
from tests.proposals.helpers import make_proposals

pytest.importorskip("matplotlib")


def make(n=40, width=3, **options):
    embeddings = np.random.default_rng(5).normal(size=(n, width))
    return make_proposals(n, embeddings=embeddings, **options)


def texts(figure):
    return [text.get_text() for text in figure.texts]


def drawn(figure):
    """Places and colors of each panel, in the order of the places."""
    panels = []
    for axes in figure.axes:
        places = np.concatenate([c.get_offsets() for c in axes.collections])
        colors = np.concatenate(
            [
                np.broadcast_to(c.get_facecolors(), (len(c.get_offsets()), 4))
                for c in axes.collections
            ]
        )
        order = np.lexsort(places.T)
        panels.append((places[order], colors[order]))
    return panels


def test_panels_side_by_side():
    proposals = make()
    figure = plot_embedding(proposals, method="pca")
    assert [t for t in texts(figure) if t.startswith("Model")] == [
        "Model: class",
        "Model: ambiguity",
        "Model: clusters",
    ]
    share = (proposals.decision == "ambiguous").mean()
    assert f"{share:.0%} judged ambiguous" in " ".join(texts(figure))
    assert "40 images; principal components of their features." in texts(figure)
    assert set(proposals.class_names) <= set(texts(figure))
    panels = drawn(figure)
    assert len(panels) == 3
    for places, _ in panels:
        np.testing.assert_array_equal(places, panels[0][0])
        assert len(places) == 40


@pytest.mark.parametrize("by_id", [True, False])
def test_what_people_answered(by_id):
    proposals = make()
    soft = np.random.default_rng(0).dirichlet(np.ones(3), 40)
    given = dict(zip(proposals.ids, soft, strict=True)) if by_id else soft
    figure = plot_embedding(proposals, given, method="pca")
    titles = texts(figure)
    assert titles.index("People: class") < titles.index("Model: class")
    assert "People: disagreement" in titles and len(figure.axes) == 5
    # Equal classes have equal colors, of people and of the model.
    places = project(proposals.embeddings, "pca", 0)
    order = np.lexsort(places.T)
    panels = drawn(figure)
    colors = {}
    for number, classes in ((0, soft.argmax(axis=1)), (2, proposals.class_index)):
        np.testing.assert_allclose(panels[number][0], places[order])
        for c, color in zip(classes[order], panels[number][1], strict=True):
            assert colors.setdefault(int(c), tuple(color)) == tuple(color)
    assert len(set(colors.values())) == len(colors) == 3


def test_clusters_are_colored_where_ambiguous():
    proposals = make(200, clusters=30)
    places, colors = drawn(plot_embedding(proposals, method="pca"))[-1]
    expected = project(proposals.embeddings, "pca", 0)
    order = np.lexsort(expected.T)
    np.testing.assert_allclose(places, expected[order])
    certain = (proposals.decision == "certain")[order]
    assert len(np.unique(colors[certain], axis=0)) == 1
    pale = colors[certain][0]
    assert (colors[~certain] != pale).any(axis=1).all()
    cluster = proposals.cluster[order][~certain]
    found = {(c, *color) for c, color in zip(cluster, colors[~certain], strict=True)}
    assert len(found) == len(np.unique(cluster))  # one color per cluster


def test_class_colors_stand_below_classes_and_are_none_of_clusters():
    names = tuple(f"class {i}" for i in range(10))
    proposals = make(300, names=names, clusters=40)
    soft = np.random.default_rng(0).dirichlet(np.ones(10), 300)
    figure = plot_embedding(proposals, soft, method="pca")
    panels = [axes.get_position() for axes in figure.axes]
    at = {name: [] for name in names}
    for text in figure.texts:
        if text.get_text() in at:
            at[text.get_text()].append(text.get_position())
    for places in at.values():
        assert len(places) == 2
        for (x, y), panel in zip(places, (panels[0], panels[2]), strict=True):
            assert panel.x0 <= x < panel.x1 and y < panel.y0
    drawn_colors = [colors for _, colors in drawn(figure)]
    classes = np.unique(np.concatenate([drawn_colors[0], drawn_colors[2]]), axis=0)
    clusters = np.unique(drawn_colors[4], axis=0)
    assert len(classes) == 10 and len(clusters) == 14 + 1
    assert np.abs(classes[:, None] - clusters[None]).max(axis=-1).min() > 0.05


@pytest.mark.parametrize(
    "method", [pytest.param("tsne", marks=pytest.mark.slow), "pca"]
)
def test_the_seed_decides(method):
    if method == "tsne":
        pytest.importorskip("sklearn")
    options = {"method": method, "max_points": 12}
    first, again, other = (
        drawn(plot_embedding(make(), seed=seed, **options))[0][0] for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(first, again)
    assert first.shape == other.shape == (12, 2)
    assert (first != other).any()


def test_a_sample_is_told():
    figure = plot_embedding(make(2000), method="pca", max_points=100)
    told = "100 of 2,000 images, picked at random; principal components"
    assert any(told in text for text in texts(figure))


@pytest.mark.parametrize("method", ["tsne", "pca"])
@pytest.mark.parametrize(("n", "width"), [(1, 1), (2, 3), (4, 70), (5, 1), (9, 70)])
def test_few_images_and_few_features(n, width, method):
    if method == "tsne":
        pytest.importorskip("sklearn")
    figure = plot_embedding(make(n, width), method=method)
    places = drawn(figure)[0][0]
    assert places.shape == (n, 2) and np.isfinite(places).all()


def test_t_sne_keeps_neighbors_together(rng):
    pytest.importorskip("sklearn")
    points = rng.normal(size=(60, 80))
    points[30:] += 5
    places = project(points, "tsne", 0)
    distances = np.linalg.norm(places[:, None] - places[None], axis=-1)
    np.fill_diagonal(distances, np.inf)
    assert ((distances.argmin(axis=1) < 30) == (np.arange(60) < 30)).all()


def test_components_are_those_of_the_variance(rng):
    points = rng.normal(size=(50, 4)) * [1, 10, 0.1, 3] + 7
    places = project(points, "pca", 0)
    assert np.corrcoef(places[:, 0], points[:, 1])[0, 1] > 0.999
    assert places.std(axis=0)[0] > places.std(axis=0)[1]
    np.testing.assert_allclose(project(np.ones((6, 3)), "pca", 0), 0, atol=1e-9)


def test_umap_is_called_as_it_wants(monkeypatch):
    seen = {}

    class UMAP:
        def __init__(self, **options):
            seen.update(options)

        def fit_transform(self, points):
            seen["shape"] = points.shape
            return points[:, :2]

    monkeypatch.setitem(sys.modules, "umap", SimpleNamespace(UMAP=UMAP))
    figure = plot_embedding(make(9, 70), method="umap", seed=4)
    assert seen == {"n_neighbors": 8, "random_state": 4, "n_jobs": 1, "shape": (9, 50)}
    assert "9 images; UMAP of their features." in texts(figure)


def test_genuine_umap():
    pytest.importorskip("umap")
    assert project(np.eye(20), "umap", 0).shape == (20, 2)


@pytest.mark.parametrize("number", [1, 10, 15, 20, 21, 300])
def test_any_number_of_classes(number):
    names = tuple(f"class {i}" for i in range(number))
    figure = plot_embedding(make(500, names=names, clusters=40), method="pca")
    legend = [text for text in texts(figure) if text in names]
    colors = drawn(figure)[0][1]
    assert len(legend) == min(number, 20)
    found = len(np.unique(make(500, names=names).class_index))
    assert len(np.unique(colors.round(6), axis=0)) == found
    more = [text for text in texts(figure) if text.startswith("and ")]
    assert more == ([f"and {found - 20} more"] if found > 20 else [])


@pytest.mark.parametrize("level", [0.0, 1.0])
def test_one_side_only(level):
    figure = plot_embedding(make(ambiguity=np.full(40, level)), method="pca")
    assert len(drawn(figure)[-1][0]) == 40


@pytest.mark.parametrize("ending", ["png", "pdf", "svg"])
def test_file_is_written(tmp_path, ending):
    path = tmp_path / "new" / f"picture.{ending}"
    plot_embedding(make(), path=path, method="pca")
    assert path.read_bytes()[:4] in (b"\x89PNG", b"%PDF", b"<?xm")
    assert len(list(path.parent.iterdir())) == 1


@pytest.mark.parametrize(
    ("proposals", "options", "message"),
    [
        (make_proposals(), {}, "have no embeddings; make them with"),
        (make(0), {}, "nothing to draw"),
        (make(), {"method": "lda"}, "`method` must be one of .'tsne', 'umap', 'pca'"),
        (make(), {"max_points": 0}, "`max_points` must be an integer of at least 1"),
        (make(), {"seed": -1}, "`seed` must be"),
        (make(), {"path": "picture.doc"}, "`path` must end in a kind of picture"),
        (make(), {"soft_labels": np.ones((40, 3))}, "row of `soft_labels` must be a"),
        (make(), {"soft_labels": np.ones((40, 1))}, "one row per proposal and one co"),
        (make(), {"soft_labels": {}}, "`soft_labels` lack 40 of the proposals' im"),
    ],
)
def test_bad_arguments(proposals, options, message):
    with pytest.raises(ValueError, match=message):
        plot_embedding(proposals, **{"method": "pca", **options})


@pytest.mark.parametrize(
    ("package", "method", "extra"),
    [("sklearn.manifold", "tsne", "demo"), ("umap", "umap", "umap")],
)
def test_a_missing_package_is_named(monkeypatch, package, method, extra):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=rf"keras_dc3\[{extra}\]"):
        plot_embedding(make(), method=method)


def test_without_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"keras_dc3\[demo\]"):
        plot_embedding(make())
