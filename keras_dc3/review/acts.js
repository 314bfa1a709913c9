// What answers do.

/** Goes to a place, or to the nearest one that still exists. */
function goTo(cursor) {
  tick();
  const order = places();
  state.cursor = order.includes(cursor) ? cursor : firstOpen();
  state.begun[state.cursor] ??= now();
  if (state.cursor !== goTo.shown) focus = 0;
  const same = state.cursor === goTo.shown && state.cursor !== "end";
  goTo.shown = state.cursor;
  if (same) refresh();
  else render();
  save();
}

function move(by) {
  const order = places();
  const at = order.indexOf(state.cursor) + by;
  if (at >= 0 && at < order.length) goTo(order[at]);
}

function after(cursor) {
  const order = places();
  return order[order.indexOf(cursor) + 1] ?? "end";
}

/** A label for the marked images, the whole group, or the single image. */
function choose(label) {
  const step = current();
  if (!step) return;
  leaveFind();
  if (step.kind !== "group") {
    const cursor = state.cursor;
    act([["own", step.items[0], [label, now()]]], () => after(cursor));
    return;
  }
  const marks = markedHere();
  if (marks.length) {
    const when = now();
    act(
      marks.flatMap((i) => [["own", i, [label, when]], ["marked", i, undefined]]),
    );
    arrived = performance.now(); // the next answer is for the whole group
  } else if (allNamed(step)) {
    act([["own", step.items[focus], [label, now()]]]);
  } else {
    const changes = [["label", state.cursor, label === step.label ? undefined : label]];
    if (isDone(state.cursor)) changes.push(["done", state.cursor, now()]);
    act(changes);
  }
}

/** Marks or unmarks an image of the group; with `upTo`, marks all from the last one. */
function touch(n, upTo = false) {
  const step = current();
  const from = focus;
  focus = n;
  if (upTo) {
    mark(step.items.slice(Math.min(from, n), Math.max(from, n) + 1));
    return;
  }
  const item = step.items[n];
  if (state.own[item]) mark([item]);
  else act([["marked", item, state.marked[item] ? undefined : 1]]);
}

function mark(chosen) {
  act(chosen.flatMap((i) => [["own", i, undefined], ["marked", i, 1]]));
}

/** Gives what is not marked the label of the group, and goes on. */
function accept() {
  const cursor = state.cursor;
  if (current()?.kind !== "group") return;
  act([["done", cursor, now()]], () => after(cursor));
}

function arrow(key) {
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
