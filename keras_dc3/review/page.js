// Clicks and keys, and the start.

const HELP = [
  ["1 … 9, 0", "the class: of the marked images; where none is marked, of the whole group"],
  ["U", "cannot tell"],
  ["Enter", "accept all images of the group that are not marked"],
  ["Click, Space", "mark an image that does not belong, or take the mark away"],
  ["Shift+Click, E", "mark all up to here; mark all from here to the end"],
  ["Arrow keys", "go from image to image"],
  ["N, P", "next and previous group or image"],
  ["Ctrl+Z, Ctrl+Y", "undo and redo"],
  ["+, -", "larger and smaller images"],
  ["/", "find a class by its name, where there are more than ten"],
  ["Later", "images that are still marked when you accept come again at the end, one by one"],
];

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

const KEYS = {
  n: () => move(1),
  p: () => move(-1),
  u: () => choose(UNSURE),
  e: () => current()?.kind === "group" && mark(current().items.slice(focus)),
  "+": () => resize(40),
  "=": () => resize(40),
  "-": () => resize(-40),
  "/": () => data.classes.length > 10 && $("find").focus(),
  "?": () => $("keyhelp").showModal(),
};

function onKey(event) {
  if (!state || stale || $("keyhelp").open || event.isComposing) return;
  if (event.target.tagName === "INPUT") return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (event.ctrlKey || event.metaKey) {
    if (event.altKey || !"zy".includes(key)) return;
    event.preventDefault();
    if (key === "y" || event.shiftKey) redo();
    else undo();
    return;
  }
  if (event.altKey) return;
  const onButton = event.target.tagName === "BUTTON";
  if (onButton && (key === "Enter" || key === " ")) return;
  const digit = /^(?:Digit|Numpad)([0-9])$/.exec(event.code)?.[1] ?? (/^[0-9]$/.test(key) ? key : null);
  const inGroup = current()?.kind === "group";
  if (KEYS[key]) KEYS[key]();
  else if (digit !== null && !event.repeat) {
    const label = (Number(digit) + 9) % 10;
    if (label < data.classes.length) choose(label);
  } else if (key === "Enter" && !event.repeat) accept();
  else if (key === " " && inGroup) touch(focus);
  else if (/^(Arrow|Home|End)/.test(key) && current()) arrow(key);
  else return;
  event.preventDefault();
}

function onFind(event) {
  const buttons = [...$("classes").children];
  const text = $("find").value.trim().toLowerCase();
  for (const button of buttons) {
    button.hidden = !button.title.toLowerCase().includes(text);
  }
  if (event.key !== "Enter" && event.key !== "Escape") return;
  event.preventDefault();
  const found = buttons.find((button) => !button.hidden);
  $("find").value = "";
  for (const button of buttons) button.hidden = false;
  (thumb(focus) || $("main")).focus();
  if (event.key === "Enter" && text && found) choose(Number(found.dataset.label));
}

function begin(annotator) {
  state = load(annotator) || fresh(annotator);
  [past, future] = [[], []];
  goTo.shown = undefined;
  goTo(state.cursor);
}

function leave() {
  if (stale) {
    location.reload();
    return;
  }
  tick();
  save();
  state = null;
  goTo.shown = undefined;
  [past, future] = [[], []];
  render();
}

function start() {
  classButtons();
  watch();
  probe();
  const clicks = {
    undo,
    redo,
    accept,
    back: () => move(-1),
    next: () => move(1),
    json: () => download("json"),
    csv: () => download("csv"),
    who: leave,
    help: () => $("keyhelp").showModal(),
    closehelp: () => $("keyhelp").close(),
  };
  for (const [id, click] of Object.entries(clicks)) $(id).onclick = click;
  // A button that was clicked must not keep the Enter key from the group.
  document.addEventListener("mousedown", (event) => {
    if (event.target.closest("button")) event.preventDefault();
  });
  document.addEventListener("keydown", onKey);
  $("find").addEventListener("input", onFind);
  $("find").addEventListener("keydown", onFind);
  for (const [key, what] of HELP) {
    $("helptext").append(make("p", "", undefined, make("b", "", key), make("span", "", what)));
  }
  const before = readKey(`${PREFIX}last`);
  if (before !== null && load(before)) begin(before);
  else render();
}

start();
