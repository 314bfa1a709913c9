"""What a run of `score` has done, how fast, and what limits it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from keras_dc3._text import number_of, some
from keras_dc3.proposals.shards import Shard

_CLEAR = 0.6  # share of the time from which one thing limits


@dataclass
class ScoreSummary:
    """The result of `score`; `print` it.

    Attributes:
        folder: where the proposals are.
        failed_file: the table of the images that have none.
        images: how many the source has.
        certain, ambiguous: how many are proposed a class, and a cluster.
        failed: how many could not be judged.
        reasons: why -> how many of these.
        shards: how many files there are.
        found: images of shards that an earlier call had finished.
        frames: images of this call whose files hold several frames or pages, of which
            the first was judged; 0 of a pipeline. frames_in: the id of one.
        rewritten: shards that were found damaged, and were written again.
        seconds: that this call took, without loading the model; of a pipeline, all.
        waiting, in_model, writing: seconds of these spent waiting for images to be read
            and decoded, in the model, and on writing shards; all 0 of a pipeline.
    """

    folder: str
    failed_file: str
    images: int = 0
    certain: int = 0
    ambiguous: int = 0
    failed: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    shards: int = 0
    found: int = 0
    frames: int = 0
    frames_in: str = ""
    rewritten: tuple[str, ...] = ()
    seconds: float = 0.0
    waiting: float = 0.0
    in_model: float = 0.0
    writing: float = 0.0

    def add(self, shard: Shard) -> None:
        """Counts a shard."""
        self.shards += 1
        self.images += shard.images
        self.certain += shard.certain
        self.failed += len(shard.failed)
        self.ambiguous += shard.images - shard.certain - len(shard.failed)
        self.reasons.update(reason for _, reason in shard.failed)

    def add_frames(self, ids: Sequence[str]) -> None:
        """Counts images whose files hold several frames."""
        self.frames += len(ids)
        self.frames_in = self.frames_in or next(iter(ids), "")

    @property
    def images_per_second(self) -> float:
        """How many images this call judged in a second; 0 if it had nothing to do."""
        done = self.images - self.found
        return done / self.seconds if self.seconds and done else 0.0

    @property
    def limit(self) -> str:
        """What limits the speed: "reading", "model", "writing" or "both"."""
        parts = {
            "reading": self.waiting,
            "model": self.in_model,
            "writing": self.writing,
        }
        name = max(parts, key=parts.__getitem__)
        return name if parts[name] >= _CLEAR * sum(parts.values()) else "both"

    def __str__(self) -> str:
        lines = [
            f"{number_of(self.images, 'image')} in {number_of(self.shards, 'shard')} "
            f"of {self.folder!r}: {self.certain:,} certain, {self.ambiguous:,} "
            "ambiguous."
        ]
        if self.failed:
            common = (f"{n:,} x {why}" for why, n in self.reasons.most_common())
            lines.append(
                f"{number_of(self.failed, 'image')} could not be judged, listed in "
                f"{self.failed_file!r}: {some(common, 3)}."
            )
        if self.frames:
            hold = number_of(self.frames, "image holds", "images hold")
            lines.append(
                f"{hold} several frames or pages, such as {self.frames_in!r}: the "
                "first of each was judged."
            )
        if self.rewritten:
            lines.append(
                f"Found cut off or damaged, and written again: {some(self.rewritten)}."
            )
        if self.found:
            were = "was" if self.found == 1 else "were"
            lines.append(f"{self.found:,} of the images {were} judged before.")
        if self.images_per_second:
            lines += self._speed()
        return "\n".join(lines)

    def _speed(self) -> list[str]:
        """Returns how fast it was, and why, as far as that is known."""
        speed = f"{self.images_per_second:,.0f} images/s, in {self.seconds:,.0f} s"
        if not self.waiting + self.in_model + self.writing:
            return [f"{speed}."]
        shares = (
            f"{100 * seconds / self.seconds:.0f}% {what}"
            for seconds, what in (
                (self.waiting, "waiting for images to be read and decoded"),
                (self.in_model, "in the model"),
                (self.writing, "writing"),
            )
        )
        return [f"{speed}: {', '.join(shares)}.", self._advice()]

    def _advice(self) -> str:
        return {
            "reading": "Reading and decoding limit the speed: a faster disk, smaller "
            "images or more cores help, a faster model does not.",
            "model": "The model limits the speed: a smaller one or an accelerator "
            "helps, faster reading does not.",
            "writing": "Writing limits the speed: a faster disk helps.",
            "both": "Reading and the model take about equally long; on a CPU they "
            "share its cores.",
        }[self.limit]
