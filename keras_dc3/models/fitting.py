"""One `fit`: what Keras is given, and what stands around its training."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import Any

import keras

from keras_dc3.backbones.probe import check_backbone_top
from keras_dc3.callbacks import Backup, CollapseMonitor, EpochClock, StopOnNaN
from keras_dc3.models import (
    class_weighting,
    continuing,
    disagreement,
    given_features,
    limited_time,
    workers,
)
from keras_dc3.models.arguments import (
    as_callbacks,
    check_fit_arguments,
    check_fit_data,
)
from keras_dc3.models.checked_batches import as_arrays
from keras_dc3.models.data_adapters.adapting import adapt, adapt_validation
from keras_dc3.models.data_adapters.data import Data
from keras_dc3.models.data_adapters.data_set import is_data_set, validation_of
from keras_dc3.models.evaluation import check_validation_data
from keras_dc3.models.image_scaling import check_range_is_known
from keras_dc3.models.logged import logged_names, with_logs
from keras_dc3.models.messages import (
    end_watch,
    plain_file_errors,
    quiet_end,
    quiet_heads,
)
from keras_dc3.models.picked_length import PickedLength, picked_length
from keras_dc3.models.rate_callbacks import check_rate_callbacks
from keras_dc3.models.training_length import TrainingLength
from keras_dc3.strategies import SSLStrategy


class Fitting:
    """One `fit` of a `DC3Model`, checked before its first step.

    The model is built and takes its classes from the data, where it has none yet.

    Args:
        model: the `DC3Model`.
        x, y, **arguments: as for its `fit`.

    Attributes:
        arguments: those for `keras.Model.fit`.

    Raises:
        TypeError, ValueError: as `DC3Model.fit`, before training.
    """

    def __init__(self, model: Any, x: Any, y: Any, **arguments: Any):
        self._model, self.arguments = model, arguments
        began = limited_time.now()
        workers.check_same_versions(model.collective)
        limited_time.check_time_limit(arguments["time_limit"], model.workers)
        data = self._data = adapt(x, as_arrays(y))
        picked = self._pick_length(data)
        check_fit_arguments(arguments)
        check_fit_data(data, arguments)
        callbacks = as_callbacks(arguments["callbacks"])
        callbacks = workers.of_worker(callbacks, model.collective)
        check_rate_callbacks(model.optimizer, callbacks)
        if picked is not None:
            model.plan_for(picked.epochs * picked.steps_per_epoch)
        continuing.prepare(model, callbacks, data, arguments)
        batches = self._batches(data)
        model.classes.tell_unlabeled(as_arrays(data.labels), stacklevel=3)
        if data.labels is not None:
            model.penalize_for(len(data.labels))
        if model.takes_features:
            parts = {n: part for n, part in data.parts().items() if part is not None}
            given_features.learn(model.network.standardization, parts)
        else:
            model.image_memory.learn_before_training(data.parts())
        if model.image_values is None and (first := batches.first_batch()) is not None:
            check_range_is_known(model.backbone, first[0], None)
        if arguments["class_weight"] is not None:
            self._weigh_classes(data, batches)
        validation = self._validation()
        if not model.steps_taken:
            check_backbone_top(model.backbone, model.image_shape)
        self._build_statistics()
        callbacks = self._with_own(callbacks, data, validation)
        steps = self._steps_of_epoch(batches)
        self._limited = self._limit_time(callbacks, began, steps, validation)
        scored = validation
        if validation is None and arguments["validation_split"]:
            scored = batches
        names = logged_names(model, batches.has_plain_images, scored)
        arguments["callbacks"] = with_logs(callbacks, model, names)
        self._tell_length(data, steps)
        arguments.pop("time_limit")
        steps = arguments["steps_per_epoch"], arguments.get("validation_steps")
        self._ends = (batches, validation or Data(None)), steps
        arguments |= {
            "x": batches.checked(model.num_classes, model.image_shape),
            "y": batches.y,
            "shuffle": arguments["shuffle"] if batches.may_be_shuffled else False,
        }
        self._tell(picked)
        if not model.steps_taken and not model.takes_features:
            self._tell(model.network.scaling.told())

    def _pick_length(self, data: Data) -> PickedLength | None:
        """Picks a length where none is told, and puts it among the arguments."""
        arguments = self.arguments
        picked = picked_length(self._model, data, arguments)
        if picked is not None:
            arguments["steps_per_epoch"] = picked.steps_per_epoch
        if arguments["epochs"] is None:  # Keras' default
            arguments["epochs"] = 1 if picked is None else picked.epochs
        return picked

    def _batches(self, data: Data) -> Data:
        """Returns the batches of the training data; the model is built for them."""
        model, arguments = self._model, self.arguments
        batches = data.to_train_on(
            model.ssl, arguments["steps_per_epoch"], model.collective
        )
        if is_data_set(data.x):
            model.set_classes(data.x.num_classes, getattr(data.x, "class_names", None))
            self._learn_source(data)
            arguments["steps_per_epoch"] = None  # it has taken them
            if arguments["validation_data"] is None:
                steps = arguments.get("validation_steps")
                given = validation_of(data.x, model.collective, steps)
                arguments["validation_data"] = given
        num_classes, image_shape = batches.check(model)
        model.set_classes(num_classes)
        if not model.built:
            model.build((None, *image_shape))
        if model.ssl.needs_positions:
            self._prepare_positions(batches)
        return batches

    def _weigh_classes(self, data: Data, batches: Data) -> None:
        """Checks the weights of classes, and gives them to images where classes tie."""
        arguments, labels = self.arguments, as_arrays(data.labels)
        weights = self._model.classes.weights(arguments["class_weight"], labels)
        arguments["class_weight"] = weights
        if not class_weighting.has_ties(labels) and not batches.is_shared:
            return  # Keras weighs them
        if data.y is not None:
            arguments["sample_weight"] = class_weighting.image_weights(labels, weights)
        elif not batches.weigh(weights):
            return
        arguments["class_weight"] = None

    def _learn_source(self, data: Data) -> None:
        """Takes up what computed features, or compares it with before."""
        model = self._model
        for part in data.parts().values():
            given_features.check_source(model.feature_source, part)
        if model.feature_source is None:
            model.feature_source = getattr(data.parts()["labeled"], "source", None)
        if not model.built and model.image_backbone is None:
            model.image_backbone = getattr(data.x, "image_backbone", None)

    def _prepare_positions(self, batches: Data) -> None:
        """Tells the strategy how many unlabeled images there are, if that is known."""
        model, strategy = self._model, self._model.ssl
        number, name = batches.num_unlabeled(strategy), type(strategy).__name__
        with model.collective.scope():
            forgets = strategy.prepare(model.num_classes, number)
        model.train_function = None  # it may be traced for others
        if forgets and model.steps_taken:
            warnings.warn(
                f"`{name}` knew other unlabeled images, by their positions: it forgets "
                "what they were taken for, and begins anew with these.",
                stacklevel=5,
            )
        if number is not None:
            return
        if strategy.num_unlabeled is not None:
            raise ValueError(
                f"`{name}(num_unlabeled={strategy.num_unlabeled})` counts unlabeled "
                "images by their positions, but the training batches have none: add "
                '"positions", (n,) integers, beside "unlabeled", or leave '
                "`num_unlabeled` out."
            )
        warnings.warn(
            "The training batches do not tell which unlabeled images they show, so "
            f"`{name}` estimates from the latest ones what it would count by image. "
            'Add "positions", (n,) integers, beside "unlabeled" to each batch and pass '
            f"`{name}(num_unlabeled=...)`, or train on a data set of "
            "`keras_dc3.datasets`.",
            stacklevel=5,
        )

    def _validation(self) -> Data | None:
        """Returns the validation data, checked; None where there are none."""
        model, given = self._model, self.arguments["validation_data"]
        if hasattr(given, "class_names"):
            model.set_classes(given.num_classes, given.class_names)
        if is_data_set(given):
            steps = self.arguments.get("validation_steps")
            given = validation_of(given, model.collective, steps)
        else:
            given = as_arrays(given)
        self.arguments["validation_data"] = given
        if given is None:
            return None
        validation = adapt_validation(given)
        check_validation_data(model, validation, self.arguments.get("validation_steps"))
        return validation

    def _with_own(
        self, callbacks: list[Any], data: Data, validation: Data | None
    ) -> list[Any]:
        """Returns the callbacks of `fit` with those that it adds by itself."""
        if is_data_set(data.x) and hasattr(data.x, "set_epoch"):
            callbacks = [EpochClock(data.x.set_epoch), *callbacks]
        if validation is not None:
            steps = self.arguments.get("validation_steps")
            callbacks = [*callbacks, *end_watch(validation, steps)]
        if not any(isinstance(callback, StopOnNaN) for callback in callbacks):
            callbacks = [*callbacks, StopOnNaN()]
        strategy = self._model.ssl
        masked = type(strategy).mask is not SSLStrategy.mask
        monitor = CollapseMonitor(masked, strategy.adapts_mask)
        return [*sorted(callbacks, key=continuing.place), monitor]

    def _build_statistics(self) -> None:
        model = self._model
        if not model.epoch_statistics.built:
            with model.collective.scope():
                model.epoch_statistics.build(model.num_classes, model.num_clusters)
            model.train_function = None  # it may be traced without them

    def _steps_of_epoch(self, batches: Data) -> int | None:
        arguments = self.arguments
        return arguments["steps_per_epoch"] or batches.number_of_steps(
            arguments["batch_size"], arguments["validation_split"]
        )

    def _limit_time(
        self,
        callbacks: list[Any],
        began: float,
        steps: int | None,
        validation: Data | None,
    ) -> limited_time.LimitedTime | None:
        """Returns what limits the time; its callback is among the others, the last."""
        if self.arguments["time_limit"] is None:
            return None
        size = self.arguments.get("validation_batch_size")
        size = size or self.arguments["batch_size"]
        batches = validation and validation.number_of_batches(size)
        batches = self.arguments.get("validation_steps") or batches or 0
        limited = limited_time.LimitedTime(
            self._model, self.arguments, began, steps, batches
        )
        for callback in callbacks:
            if isinstance(callback, Backup):
                callback.keep(limited.callback)
        callbacks.append(limited.callback)
        return limited

    def _tell_length(self, data: Data, steps: int | None) -> None:
        model, arguments = self._model, self.arguments
        labels = continuing.mark_of_labels(data.labels)
        same = labels is not None and labels == model.trained_labels
        model.trained_labels = labels
        goes_on = arguments["initial_epoch"] > 0 or same
        self._length = TrainingLength(model, goes_on)
        self._is_length_known = steps is not None
        if steps is not None:
            epochs = arguments["epochs"] - arguments["initial_epoch"]
            self._length.tell(steps * epochs)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Surrounds the training, during which some things are told in another way."""
        self._model.verdict = self._model.validation = None  # they hold no more
        disagreement.forget(self._model)
        with (
            quiet_end(*self._ends),
            quiet_heads(),
            plain_file_errors(),
            workers.told_of_the_gone(self._model.collective),
            workers.synchronized(self._model),
            self._model.image_memory.learning(),
            self._limited.running() if self._limited else nullcontext(),
        ):
            yield

    def conclude(self) -> None:
        """Tells what is known only now, and sets the verdict on the trained model.

        There is no verdict where the validation images cannot be seen: there are none,
        or they come from a generator, or the model has diverged.
        """
        model = self._model
        self._length.tell_at_end(known=self._is_length_known)
        if self._limited and (told := self._limited.told()):
            if self.arguments["verbose"] == 0:  # the model is another one nevertheless
                warnings.warn(told, stacklevel=4)
            self._tell(told)
        validation, model.validation = model.validation, None
        if (told := disagreement.learn(model, self._data.x)) is not None:
            self._tell(told)
            if validation is not None:
                validation.outdate()  # p_a may be another
        if validation is not None:
            found = validation.verdict(model)
            if found is not None:
                rounds = getattr(self._data.x, "rounds", None)
                model.verdict = replace(found, rounds=rounds)
            self._tell(model.verdict)

    def _tell(self, something: Any) -> None:
        interactive = keras.config.is_interactive_logging_enabled()
        if self.arguments["verbose"] and interactive and something is not None:
            print(f"\n{something}")
