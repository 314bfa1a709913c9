// What was answered, and what is kept of it. Every change of it goes through `act`, so
// that it can be undone.

// What older pages lack, which a server may give out anew, is empty.
const extras = { large: {}, likely: {}, examples: [], typical: {}, near: {}, descriptions: [] };
const content = JSON.parse(document.getElementById("data").textContent);
const data = { ...extras, order: "", ...content };
// What an answer is that names no class; all of these are below 0. A class has its place
// in `data.classes`, one that was typed here comes after these, in `state.added`; an
// answer split between two is [class, other class, percent of the first, 50 to 99].
const [UNSURE, BAD, NONE] = [-1, -2, -3];
const WITHOUT_CLASS = { [UNSURE]: "cannot tell", [BAD]: "bad image", [NONE]: "none of these" };

// One item per answer asked for: an image that comes again is two items. `step.items`
// are in the order of the screen, which a person may change; `items` never change.
const items = [];
data.steps.forEach((step, number) => {
  step.items = step.images.map(
    (image) => items.push({ image, step: number, again: Boolean(step.again) }) - 1,
  );
  step.drawn = step.items; // without those of groups that a person joins to it
});

let state = null; // of the annotator who is at work
let past = [];
let future = [];

const now = () => new Date().toISOString();

function random() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}

function fresh(annotator) {
  return {
    version: 1,
    annotator,
    session: random(),
    started: now(),
    saved: now(),
    changes: 0, // how many were made: tells the later state, whatever clocks say
    openings: [], // [name, changes before it] of each time that it was begun or continued
    cursor: "0", // a step's number, "i" and an item's, or "end"
    own: {}, // item -> [label, when], given to this image alone
    marked: {}, // item -> 1, taken out of its group
    label: {}, // step -> label of the whole group, where not the proposed one
    done: {}, // step -> when the group was accepted
    seconds: {}, // cursor -> active time
    begun: {}, // cursor -> when it was first seen
    added: {}, // class -> its name, of classes that were typed here
    notes: {}, // item -> text
    joined: {}, // step -> the step of the group to which its images were joined
  };
}

/** What a class is for: a "single" image, the "marks" of a group, the "group", the
 * current image of one in which all are "named", or that of the "large" view; "rest": of a
 * group, all images from the current one on. */
function aim() {
  const step = current();
  if (step.kind !== "group") return "single";
  if (fromHere) return "rest";
  if (isLarge()) return "large";
  if (step.items.some(open)) return "marks";
  return step.items.every((i) => state.own[i]) ? "named" : "group";
}

/** Makes changes, a list of [map, key, value or undefined], then goes to `next()`. */
function act(changes, next = () => state.cursor) {
  if (stale) {
    overruled();
    return;
  }
  const entry = { from: state.cursor, before: [], after: changes };
  for (const [map, key] of changes) entry.before.push([map, key, state[map][key]]);
  put(changes);
  entry.to = next();
  past.push(entry);
  future = [];
  goTo(entry.to);
}

function undo() {
  const entry = moved("Undo", past, future, "done since this page was opened");
  if (entry) putBack(entry.before, entry.from);
}

function redo() {
  const entry = moved("Redo", future, past, "undone");
  if (entry) putBack(entry.after, entry.to);
}

/** Moves the last entry of a list to another, and returns it if there is one. */
function moved(what, list, other, done) {
  if (stale) overruled();
  else if (!list.length) ignore(what, `Nothing was ${done}.`);
  else {
    const entry = list.pop();
    other.push(entry);
    return entry;
  }
  return null;
}

function putBack(changes, cursor) {
  put(changes);
  goTo(cursor, true);
  if (isLarge()) showChanged(changes);
}

/** Another tab has gone on: what is done here cannot be kept. */
function overruled() {
  ignore(
    "a change of answers that are being changed in another tab or window",
    "Go on there, or press “Go on here” above.",
  );
}

function put(changes) {
  state.changes += 1;
  for (const [map, key, value] of changes) {
    if (value === undefined) delete state[map][key];
    else state[map][key] = value;
  }
  if (changes.some(([map]) => map === "joined")) regroup();
}

/** All places in order: the steps, then single images that were left of groups. */
function places() {
  const left = [];
  items.forEach((item, i) => {
    if (state.marked[i] && state.done[shownIn(item.step)]) left.push(`i${i}`);
  });
  const steps = [...data.steps.keys()].filter((number) => !(number in state.joined));
  return steps.map(String).concat(left, "end");
}

function stepAt(cursor) {
  if (cursor === "end") return null;
  if (cursor[0] !== "i") return data.steps[Number(cursor)];
  const item = Number(cursor.slice(1));
  return { kind: "left", images: [items[item].image], items: [item] };
}

function groupLabel(number) {
  return state.label[number] ?? data.steps[number].label;
}

/** Returns [label, when] of an item, or null where it is open. */
function answerOf(i) {
  const step = shownIn(items[i].step);
  if (state.own[i]) return state.own[i];
  if (data.steps[step].kind !== "group") return null;
  if (!state.done[step] || state.marked[i]) return null;
  return [groupLabel(step), state.done[step]];
}

function answered() {
  return items.reduce((sum, _, i) => sum + (answerOf(i) ? 1 : 0), 0);
}

/** The first place with something to answer, or "end". */
function firstOpen() {
  return places().find((p) => p === "end" || !isDone(p));
}

function isDone(cursor) {
  const step = stepAt(cursor);
  if (step.kind === "group") return Boolean(state.done[cursor]);
  return Boolean(state.own[step.items[0]]);
}

function className(label) {
  if (Array.isArray(label)) {
    const [first, second, percent] = label;
    return `${percent}% ${className(first)}, ${100 - percent}% ${className(second)}`;
  }
  return WITHOUT_CLASS[label] ?? data.classes[label] ?? state.added[label] ?? typing;
}

/** All classes, those typed here as well. */
function classes() {
  return [...data.classes.keys(), ...Object.keys(state?.added ?? {}).map(Number)];
}

/** What kind of answer a label is, as files tell it. */
function kindOf(label) {
  if (Array.isArray(label)) return "split";
  return WITHOUT_CLASS[label] ?? (data.classes[label] === undefined ? "new class" : "class");
}
