"""Contact sheets of clusters."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_dc3.data import ImageSet
from keras_dc3.plots import plot_clusters, plot_proposals
from keras_dc3.plots.cluster_sheet import _chosen
from keras_dc3.proposals import Proposals
from tests.proposals.helpers import make_proposals

pytest.importorskip("matplotlib")


def make(sizes=(20, 5, 1), seed=0):
    """Ambiguous images in clusters of some sizes, and three certain ones."""
    rng = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(len(sizes) + 1), [3, *sizes])
    n = len(cluster)
    return Proposals.from_columns(
        [f"img_{i}" for i in range(n)],
        [0.1] * 3 + [0.9] * (n - 3),
        rng.dirichlet([5, 4, 1], n),
        cluster,
        rng.random(n),
        ["cat", "dog", "deer $x$"],
        rng.normal(size=(n, 2)) + 5 * cluster[:, None],
    )


def images_of(proposals):
    """Images that tell their position: a pixel for each."""
    n = len(proposals)
    return SimpleNamespace(ids=proposals.ids, images=np.eye(n).reshape(n, 1, n, 1))


def texts(figure):
    return [text.get_text() for text in figure.texts]


def shown(figure, proposals):
    """The ids of the images drawn, in order."""
    pixels = [np.asarray(axes.get_images()[0].get_array()) for axes in figure.axes]
    return [proposals.ids[int(image.argmax())] for image in pixels]


def test_clusters_from_typical_to_least_typical():
    proposals = make()
    figure = plot_clusters(proposals, images_of(proposals), num=10)
    clusters = [g for g in proposals.groups() if g.kind == "cluster"]
    names = shown(figure, proposals)
    assert len(names) == 10 + 5 + 1
    first = clusters[0]
    assert names[:3] == list(first.medoids)
    assert names[7:10] == list(first.ids[-3:])
    places = [first.ids.index(name) for name in names[3:7]]
    assert places == sorted(places) and np.ptp(places) >= 10
    assert names[10:13] == list(clusters[1].medoids)
    assert sorted(names[10:15]) == sorted(clusters[1].ids)
    titles = texts(figure)
    for group in clusters:
        start = f"Cluster {group.index}: {group.description}, {len(group)} image"
        assert sum(text.startswith(start) for text in titles) == 1
    assert "Clusters of 26 images judged ambiguous" in titles
    assert titles.count("medoid") == 3 + 3 + 1
    assert titles.count("least typical") == 3 + 2
    print_of_first = next(text for text in titles if text.startswith("The model says"))
    assert "Nearest:" in print_of_first


def test_suggestions_are_told():
    rng = np.random.default_rng(0)
    places = rng.normal(size=(300, 2))
    places[150:] += 10
    proposals = Proposals.from_columns(
        [str(i) for i in range(300)],
        np.ones(300),
        np.full((300, 2), 0.5),
        np.zeros(300, int),
        np.ones(300),
        ["cat", "dog"],
        places,
    )
    figure = plot_clusters(proposals, images_of(proposals))
    assert any("Suggestion: split" in text for text in texts(figure))


def test_the_largest_clusters_only():
    proposals = make((2, 9, 4, 1))
    figure = plot_clusters(proposals, images_of(proposals), num_clusters=2)
    titles = [text for text in texts(figure) if text.startswith("Cluster ")]
    assert [title.split(":")[0] for title in titles] == ["Cluster 2", "Cluster 3"]
    assert any("The 2 largest of 4" in text for text in texts(figure))
    assert len(figure.axes) == 9 + 4


@given(size=st.integers(1, 60), num=st.integers(1, 40))
def test_images_chosen(size, num):
    group = next(g for g in make((size,)).groups() if g.kind == "cluster")
    chosen = _chosen(group, num)
    assert len(chosen) == len(set(chosen)) == min(num, size)
    assert set(chosen) <= set(group.ids)
    assert chosen[0] == group.medoids[0]
    if 8 <= num < size:
        assert chosen[-3:] == list(reversed(group.least_typical))
        between = [group.ids.index(name) for name in chosen[3:-3]]
        assert between == sorted(between)


def test_without_embeddings():
    proposals = make_proposals()
    images = {name: np.zeros((4, 4)) for name in proposals.ids}
    assert len(plot_clusters(proposals, images, num=3).axes) > 3


def test_any_form_of_images(tmp_path):
    """An array in the order of the proposals, id -> image, a part, or a folder."""
    image = pytest.importorskip("PIL.Image")
    proposals = make((6, 2))
    proposals = Proposals.from_columns(
        [f"{name}.png" for name in proposals.ids],
        proposals.ambiguity,
        proposals.class_probabilities,
        proposals.cluster,
        proposals.cluster_probability,
        proposals.class_names,
        proposals.embeddings,
    )
    n = len(proposals)
    pixels = (np.eye(n).reshape(n, 1, n, 1) * 255).astype("uint8")
    for name, one in zip(proposals.ids, pixels, strict=True):
        image.fromarray(one[..., 0]).save(tmp_path / name)
    part = ImageSet(pixels[::-1], proposals.ids[::-1])
    by_id = dict(zip(proposals.ids, pixels, strict=True))
    expected = shown(plot_clusters(proposals, images_of(proposals)), proposals)
    for images in (pixels, pixels[..., 0], part, by_id, tmp_path, str(tmp_path)):
        assert shown(plot_clusters(proposals, images), proposals) == expected
        assert len(plot_proposals(proposals, images).axes) == n
    (tmp_path / expected[0]).unlink()
    message = f"The image of the id '{expected[0]}' is no file in the folder"
    with pytest.raises(ValueError, match=message):
        plot_clusters(proposals, tmp_path)
    with pytest.raises(ValueError, match="where there is no folder"):
        plot_clusters(proposals, tmp_path / "none")


@pytest.mark.parametrize("ending", ["png", "pdf", "svg"])
def test_file_is_written(tmp_path, ending):
    path = tmp_path / "new" / f"picture.{ending}"
    proposals = make((3, 2))
    plot_clusters(proposals, images_of(proposals), path=path)
    assert path.read_bytes()[:4] in (b"\x89PNG", b"%PDF", b"<?xm")
    assert len(list(path.parent.iterdir())) == 1


def test_lost_images_and_bad_arguments():
    proposals = make()
    images = dict.fromkeys(proposals.ids[:-1], np.zeros((2, 2)))
    with pytest.raises(ValueError, match="`images` hold no image of the id 'img_28'"):
        plot_clusters(proposals, images)
    with pytest.raises(TypeError, match="`images` must say which image is which"):
        plot_clusters(proposals, [np.zeros((2, 2))] * 29)
    message = r"one image per proposal, in their order, shape \(29, h, w, c\). Rec"
    for wrong in (np.zeros((28, 2, 2)), np.zeros((29, 2))):
        with pytest.raises(ValueError, match=message):
            plot_clusters(proposals, wrong)
    images = images_of(proposals)
    for name in ("num", "num_clusters"):
        with pytest.raises(ValueError, match=f"`{name}` must be an integer of at"):
            plot_clusters(proposals, images, **{name: 0})
    with pytest.raises(ValueError, match="`path` must end in a kind of picture"):
        plot_clusters(proposals, images, "sheet.doc")
    for none in (make_proposals(0), make_proposals(ambiguity=np.zeros(40))):
        with pytest.raises(ValueError, match="no image was judged ambiguous"):
            plot_clusters(none, images)
