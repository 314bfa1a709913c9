// What answers do: to marked images, a whole group, a single image.

const NO_IMAGE = "There is no image here; go back to answer one.";
const NO_GROUP = "It is for groups; a single image needs a class.";

/** Goes to a place, or to the nearest that still exists; `asked` to, or by itself. */
function goTo(cursor, asked = false) {
  tick();
  const order = places();
  state.cursor = order.includes(cursor) ? cursor : firstOpen();
  state.begun[state.cursor] ??= now();
  closeOverview();
  if (state.cursor !== goTo.shown) {
    focus = 0;
    fromHere = false;
    if (!keepsLarge(goTo.shown, state.cursor)) hideLarge();
  }
  const same = state.cursor === goTo.shown && state.cursor !== "end";
  if (same) refresh();
  else {
    if (goTo.shown) disappears(goTo.shown);
    goTo.shown = state.cursor;
    render();
    appeared(state.cursor, asked);
  }
  save();
}

function move(by) {
  const order = places();
  const next = order[order.indexOf(state.cursor) + by];
  if (next) goTo(next, true);
  else if (by > 0) ignore("Next", "Nothing comes after this.");
  else ignore("Back", "Nothing comes before this.");
}

function after(cursor) {
  const order = places();
  return order[order.indexOf(cursor) + 1] ?? "end";
}

/** A label for what the aim is, with further changes. Returns whether it was taken. */
function choose(label, event, further = []) {
  const { cursor } = state;
  const step = current();
  if (!step) {
    ignore(quoted(label), NO_IMAGE);
    return false;
  }
  if (isSlip(label, aim(), event)) return false;
  leaveFind();
  const when = now();
  const own = (i) => ["own", i, [label, when]];
  const give = (changes, next) => act([...further, ...changes], next);
  const choices = {
    single: () => give([own(step.items[0])], () => after(cursor)),
    marks: () => give(markedHere().flatMap((i) => [own(i), ["marked", i, undefined]])),
    named: () => give([own(step.items[focus])]),
    large: () => give([own(itemHere()), ["marked", itemHere(), undefined]]),
    rest: () => give(step.items.slice(focus).flatMap((i) => [own(i), ["marked", i, undefined]])),
    group: () => {
      const changes = [["label", cursor, label === step.label ? undefined : label]];
      if (isDone(cursor)) changes.push(["done", cursor, now()]);
      give(changes);
    },
  };
  const chosen = aim();
  fromHere = false;
  choices[chosen]();
  if (chosen === "rest") sayOfRest(step, label);
  return true;
}

/** A press on the images: marks one, or says why it does nothing. */
function pressImages(event, target) {
  const box = target.closest(".thumb");
  if (box) {
    touch([...$("grid").children].indexOf(box), event.shiftKey);
    thumb(focus).focus({ preventScroll: true });
  } else if (state && current() && (target.closest(".frame") || early(arrived))) {
    const instead =
      current().kind === "group"
        ? "If it was for an image of the group before, go back to it."
        : "Choose the class of this image below; it cannot be marked. Z shows it large.";
    ignore("a click", instead);
  }
}

/** A finger that rests on an image shows it large. Returns whether there is one. */
function restOnImage(target) {
  const box = target.closest(".thumb");
  if (!state || !current() || !(box || target.closest(".frame"))) return false;
  openLarge(box ? [...$("grid").children].indexOf(box) : 0);
  return true;
}

/** Marks or unmarks an image of the group; with `upTo`, marks all from the last one. */
function touch(n, upTo = false) {
  const step = current();
  const from = focus;
  touched = true;
  focus = n;
  if (fromHere) {
    refresh();
    return;
  }
  if (upTo) {
    mark(step.items.slice(Math.min(from, n), Math.max(from, n) + 1));
    return;
  }
  const item = step.items[n];
  if (state.own[item]) mark([item]);
  else act([["marked", item, state.marked[item] ? undefined : 1]]);
}

function mark(chosen) {
  touched = true;
  act(chosen.flatMap((i) => [["own", i, undefined], ["marked", i, 1]]));
}

function isForGroup(what) {
  const step = current();
  if (step?.kind !== "group") ignore(what, step ? NO_GROUP : NO_IMAGE);
  return step?.kind === "group";
}

/** Gives what is not marked the label of the group, and goes on. */
function accept(event) {
  const { cursor } = state;
  if (!isForGroup("Accept") || isSlipToAccept(event)) return;
  if (fromHere) {
    ignore("Accept, while a class for the images from here on is awaited", STOP_REST);
    return;
  }
  act([["done", cursor, now()]], () => after(cursor));
}

function arrow(key, shifted = false) {
  if (isLarge()) {
    arrowInLarge(key, shifted);
    return;
  }
  const step = current();
  if (step.kind !== "group") {
    if (key === "ArrowLeft") move(-1);
    if (key === "ArrowRight") move(1);
    return;
  }
  const columns = getComputedStyle($("grid")).gridTemplateColumns.split(" ").length;
  const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
  const end = step.items.length - 1;
  if (key === "Home") focus = 0;
  else if (key === "End") focus = end;
  else if (focus + by[key] >= 0 && focus + by[key] <= end) focus += by[key];
  refresh();
  thumb(focus).focus({ preventScroll: true });
  thumb(focus).scrollIntoView({ block: "nearest" });
}
