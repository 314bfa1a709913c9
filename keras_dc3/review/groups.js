// Groups that a person changes: images from one to the end, and groups joined together.
// Files tell of each image the group in which it was proposed.

let fromHere = false; // whether the next class is for all images from the current one on
const STOP_REST = "Choose that class, or press H to stop.";

/** Whether the next class is for the images from here on; once more, and it is not. */
function toggleRest() {
  if (!fromHere && !isForGroup("“From here to the end”")) return;
  fromHere = !fromHere;
  touched = true;
  refresh();
}

function sayOfRest(step, label) {
  const from = focus + 1;
  const number = plural(step.items.length - focus, "image");
  say(`${number}, from image ${from} to the end: ${className(label)}.`);
}

/** The step with which the images of a step are shown. */
function shownIn(number) {
  return state.joined[number] ?? number;
}

/** The steps that are joined to one. */
function joinedTo(number) {
  return [...data.steps.keys()].filter((other) => state.joined[other] === number);
}

/** How many images are shown with a step. */
function sizeOf(number) {
  const parts = [number, ...joinedTo(number)];
  return parts.reduce((sum, part) => sum + data.steps[part].drawn.length, 0);
}

/** Puts images into the groups in which they are shown; an order that was chosen stays. */
function regroup() {
  data.steps.forEach((step, number) => {
    if (step.kind !== "group") return;
    const parts = [number, ...joinedTo(number)];
    if (String(parts) === (step.parts ?? String(number))) return;
    step.parts = String(parts);
    step.items = parts.flatMap((part) => data.steps[part].drawn);
    if (goTo.shown === String(number)) goTo.shown = undefined; // it is another card now
  });
}

/** A group and those that are joined to it. */
function partsOf(step) {
  const others = step.parts?.split(",").slice(1) ?? [];
  return [step, ...others.map((part) => data.steps[part])];
}

function titleOf(step) {
  return partsOf(step).map(({ title }) => title).join(" + ");
}

function descriptionOf(step) {
  return partsOf(step).map(({ description }) => description).filter(Boolean).join("; ");
}

/** Joins the images of the next open group to this one. */
function joinNext() {
  if (!isForGroup("Join")) return;
  const here = Number(state.cursor);
  const next = data.steps.findIndex(
    (step, n) => n > here && step.kind === "group" && !(n in state.joined) && !state.done[n],
  );
  if (next < 0) {
    ignore("Join", "No group that is still open comes after this one.");
    return;
  }
  const first = current().items.length;
  const parts = [next, ...joinedTo(next)];
  // What joins an accepted group was not seen when that was accepted.
  act([...parts.map((part) => ["joined", part, here]), ["done", here, undefined]]);
  if (current().items.length === first) return; // another tab has gone on
  focus = current().items.indexOf(data.steps[next].drawn[0]);
  refresh();
  thumb(focus).scrollIntoView({ block: "nearest" });
  thumb(focus).focus({ preventScroll: true });
}

/** Takes groups apart that were joined to this one. */
function takeApart() {
  if (!isForGroup("Take apart")) return;
  const here = Number(state.cursor);
  const parts = joinedTo(here);
  if (!parts.length) {
    ignore("Take apart", "No group was joined to this one.");
    return;
  }
  act([...parts.map((part) => ["joined", part, undefined]), ["done", here, undefined]]);
}
