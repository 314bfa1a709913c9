// What is seen: cards, images, marks, progress. Text reaches the page through
// `textContent` alone, and only the current group is part of the document.

const $ = (id) => document.getElementById(id);
let focus = 0; // the image of the group that the keys act on
let size = 120; // of the images of a group, pixels
let sized = false; // whether a person has chosen it
const LEAST = 64; // pixels of an image that a finger can hit and an eye can see
const IN_SIGHT = 20; // images of a group on a small screen, where they can be so many

function make(tag, classes, text, ...children) {
  const element = document.createElement(tag);
  if (classes) element.className = classes;
  if (text !== undefined) element.textContent = text;
  element.append(...children);
  return element;
}

/** An image; what stands beside it must not tell its file name, which may tell all. */
function picture(image, alt) {
  const element = make("img");
  element.alt = alt;
  element.decoding = "async";
  element.draggable = false;
  element.src = data.pictures[image];
  return element;
}

/** What a screen reader is to say now. */
function say(text) {
  $("said").textContent = text;
}

const openDialog = () => document.querySelector("dialog[open]");
const plural = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;
const current = () => stepAt(state.cursor);
const open = (i) => state.marked[i] && !state.own[i];
const markedHere = () =>
  current()?.kind === "group" ? current().items.filter(open) : [];

function render() {
  $("title").textContent = data.title;
  document.title = data.title;
  const main = $("main");
  clearFind();
  main.replaceChildren();
  main.scrollTop = 0;
  $("footer").hidden = !state || state.cursor === "end";
  if (!state) main.append(welcome());
  else if (state.cursor === "end") main.append(ending());
  else if (current().kind === "group") main.append(...group());
  else main.append(single());
  refresh();
  fit();
  // Now, and not at each answer, when a hand may be on its way to another class.
  const chosen = $("classes").querySelector(".chosen");
  chosen?.scrollIntoView({ block: "nearest", inline: "nearest" });
  // A button in use stays in use, so that its key does not fall upon the images.
  const used = document.activeElement?.closest("header button, #moves button");
  const start = $("name") || thumb(focus) || main;
  if (!used || used.hidden || !state) start.focus({ preventScroll: true });
  $("said").textContent = state ? told() : "";
  main.setAttribute("aria-label", state ? told() : "Start");
}

/** What a screen reader says of a new place. */
function told() {
  const step = current();
  if (!step) return $("main").querySelector("h2").textContent;
  const place = whereabouts();
  if (step.kind !== "group") return `${place}: ${question(step)}`;
  const label = className(groupLabel(state.cursor));
  return `${place}: ${titleOf(step)}, ${plural(step.items.length, "image")}, ${label}`;
}

function whereabouts() {
  const order = places();
  return `${order.indexOf(state.cursor) + 1} of ${order.length - 1}`;
}

const question = (step) =>
  step.kind === "left" ? "Taken out of its group: what is this?" : "What is this?";

function group() {
  const step = current();
  const title = make("div", "group");
  title.append(make("h2", "", titleOf(step)));
  title.append(make("span", "kind", plural(step.items.length, "image")));
  const done = make("span", "kind done", "accepted");
  done.id = "done";
  title.append(done);
  arrange(step);
  const sizes = make("span", "sizes");
  for (const [sign, by] of [["−", -40], ["+", 40]]) {
    const button = make("button", "", sign);
    button.type = "button";
    button.title = by < 0 ? "Smaller images (-)" : "Larger images (+)";
    onPress(button, () => resize(by));
    sizes.append(button, " ");
  }
  title.append(tools(step), sizes);
  const task = make("p", "task");
  task.id = "task";
  const grid = make("div", "grid");
  grid.id = "grid";
  grid.setAttribute("role", "listbox");
  grid.setAttribute("aria-multiselectable", "true");
  grid.setAttribute("aria-label", "Images of the group");
  step.items.forEach((item, n) => {
    const box = make("div", isMedoid(item) ? "thumb typical" : "thumb");
    box.setAttribute("role", "option");
    const shown = picture(items[item].image, "");
    shown.onload = () => box.classList.toggle("strip", isStrip(shown));
    box.append(shown, make("span", "badge"), make("span", "odd"));
    grid.append(box);
  });
  return [title, make("p", "about", descriptionOf(step)), task, grid];
}

function single() {
  const step = current();
  const shown = picture(step.images[0], `Image ${whereabouts()}`);
  const frame = make("div", "frame", undefined, shown);
  const given = make("p", "given");
  given.id = "given";
  const large = tool("Large", "Z", "The image, large", toggleLarge);
  const below = make("div", "below", undefined, given, large);
  return make("div", "single", undefined, make("h2", "", question(step)), frame, below);
}

/** Whether an image stands for its group; the first ones of the page's order do. */
function isMedoid(item) {
  const { drawn, medoids } = data.steps[items[item].step];
  return item < Math.min(...drawn) + medoids;
}

/** Whether nothing could be seen of an image if all of it were shown in a square. */
function isStrip({ naturalWidth: width, naturalHeight: height }) {
  return Math.max(width, height) > 4 * Math.min(width, height);
}

const thumb = (n) => $("grid")?.children[n];

/** Brings up to date what answers change, without making images anew. */
function refresh() {
  const count = state ? answered() : 0;
  $("bar").style.width = `${(100 * count) / items.length}%`;
  $("progress").setAttribute("aria-valuemax", items.length);
  $("progress").setAttribute("aria-valuenow", count);
  $("count").textContent = `${count} of ${items.length}`;
  $("who").textContent = state ? state.annotator : "";
  $("who").hidden = !state;
  $("overall").hidden = !state;
  dim("undo", !past.length);
  $("undo").title = past.length
    ? "Undo (Ctrl+Z)"
    : "Nothing to undo since this page was opened";
  dim("redo", !future.length);
  for (const id of ["download", "json", "csv"]) $(id).disabled = !count;
  typedButtons();
  if (!state || state.cursor === "end") return;
  const step = current();
  if (step.kind === "group") refreshGroup(step);
  else {
    const answer = answerOf(step.items[0]);
    const note = state.notes[step.items[0]];
    const texts = [answer && `Your answer: ${className(answer[0])}`, note && `Note: ${note}`];
    $("given").textContent = texts.filter(Boolean).join(". ");
  }
  refreshFooter(step);
  if (isLarge()) showLarge();
}

/** Shows that a button does nothing now; it keeps the focus, unlike a disabled one. */
function dim(id, dimmed) {
  $(id).setAttribute("aria-disabled", dimmed ? "true" : "false");
}

function refreshGroup(step) {
  const done = isDone(state.cursor);
  $("done").hidden = !done;
  step.items.forEach((item, n) => {
    const box = thumb(n);
    const answer = answerOf(item);
    const marked = open(item);
    box.classList.toggle("marked", Boolean(marked));
    box.classList.toggle("own", Boolean(state.own[item]));
    box.classList.toggle("unsure", answer?.[0] < 0);
    box.classList.toggle("rest", fromHere && n >= focus);
    const note = state.notes[item];
    box.classList.toggle("noted", note !== undefined);
    box.title = note ?? "";
    box.classList.toggle("accepted", done && Boolean(answer) && !state.own[item]);
    box.classList.toggle("here", n === focus);
    box.tabIndex = n === focus ? 0 : -1;
    box.setAttribute("aria-selected", marked ? "true" : "false");
    box.querySelector(".badge").textContent = answer ? className(answer[0]) : "";
    const said = answer ? `, ${className(answer[0])}` : marked ? ", taken out" : "";
    const noted = note === undefined ? "" : `, note: ${note}`;
    box.setAttribute("aria-label", `image ${n + 1}${said}${noted}`);
  });
  refreshOdds(step);
  const label = groupLabel(state.cursor);
  const marks = markedHere().length;
  const rest = label === step.label ? "proposed" : "your choice for all";
  const aims = aim();
  const all = make("span", aims === "named" ? "away" : "", "Answer: ");
  all.append(make("b", "", className(label)), ` (${rest}).`);
  // Sentences that are not true now keep their place: images must not move when one is
  // marked, as a hand may be on its way to them.
  const texts = {
    group: "Mark the images that are something else, then accept the rest.",
    marks: `${plural(marks, "marked image")} will be asked for again at the end, unless named now.`,
    named: "Each image has a class of its own. A class renames the current one.",
    rest: "A class is for all images from the current one to the end; H, or More, stops.",
  };
  const either = make("span", "either");
  for (const [when, text] of Object.entries(texts)) {
    either.append(make("span", when === aims ? "" : "away", text));
  }
  $("task").replaceChildren(all, " ", either);
}

function refreshFooter(step) {
  const aims = aim();
  aimed(aims);
  const marks = markedHere();
  const isGroup = step.kind === "group";
  $("target").textContent = {
    group: "The whole group is",
    marks: `${marks.length} marked ${marks.length === 1 ? "is" : "are"}`,
    named: "This image is",
    rest: `From image ${focus + 1} on, ${step.items.length - focus} are`,
    large: "This image is",
    single: "This is",
  }[aims];
  $("choice").classList.toggle("marks", aims === "marks");
  const item = step.items[/named|large/.test(aims) ? focus : 0];
  const chosen = aims === "group" ? groupLabel(state.cursor) : answerOf(item)?.[0];
  for (const button of $("classes").children) {
    const mine = Number(button.dataset.label) === chosen && (aims === "large" || !marks.length);
    button.classList.toggle("chosen", mine);
    button.setAttribute("aria-pressed", mine ? "true" : "false");
  }
  dim("back", state.cursor === "0");
  $("place").textContent = whereabouts();
  if (isGroup) {
    const name = data.images[items[step.items[focus]].image];
    $("place").append(make("span", "id", " · ", make("bdi", "", name)));
  }
  $("keys").replaceChildren();
  const keys = isGroup
    ? [["←↑↓→", "move"], ["Space", "mark"], ["E", "mark to the end"], ["?", "help"]]
    : [[digits(), "answer"], ["U", "cannot tell"], ["?", "help"]];
  for (const [key, what] of keys) $("keys").append(make("kbd", "", key), ` ${what}  `);
  const accept = $("accept");
  accept.hidden = data.mode === "none";
  dim("accept", !isGroup);
  if (!isGroup) {
    accept.replaceChildren("Accept ", make("kbd", "", "Enter"));
    return;
  }
  const rest = step.items.filter((i) => !state.own[i] && !state.marked[i]).length;
  const label = className(groupLabel(state.cursor));
  const told = rest ? [`Accept ${rest} as `, make("bdi", "", label)] : ["Done with this group"];
  accept.replaceChildren(...told, " ", make("kbd", "", "Enter"));
}

/** The keys that name a class; the tenth has 0. */
function digits() {
  const number = data.classes.length;
  return number < 10 ? `1–${number}` : "1–9, 0";
}

function classButtons() {
  for (const label of data.classes.keys()) {
    $("classes").append(classButton(label, data.classes[label]));
  }
  $("classes").append(classButton(UNSURE, "Cannot tell"));
  $("find").hidden = data.classes.length <= 10;
  document.body.classList.toggle("many", data.classes.length > 10);
}

function classButton(label, name) {
  const key = label === UNSURE ? "U" : label < 10 ? String((label + 1) % 10) : "";
  const button = make("button");
  button.type = "button";
  button.dataset.label = label;
  if (key) button.append(make("kbd", "", key), " ");
  button.append(make("bdi", "", name));
  button.title = name;
  onPress(button, (event) => choose(label, event));
  return button;
}

/** The classes that this person has typed, as buttons after the others. */
function typedButtons() {
  const added = Object.entries(state?.added ?? {});
  const there = [...$("classes").querySelectorAll(".typed")];
  const shown = there.map((button) => [button.dataset.label, button.title]);
  if (JSON.stringify(shown) === JSON.stringify(added)) return;
  for (const button of there) button.remove();
  for (const [label, name] of added) {
    const button = classButton(Number(label), name);
    button.classList.add("typed");
    $("classes").append(button);
  }
}

function resize(by) {
  sized = true;
  size = Math.min(320, Math.max(80, size + by));
  document.documentElement.style.setProperty("--thumb", `${size}px`);
}

/** On a small screen, makes the images as large as still leaves enough of them in sight. */
function fit() {
  const grid = $("grid");
  if (!grid || sized) return;
  const small = matchMedia("(max-width: 520px), (max-height: 520px)").matches;
  const gap = parseFloat(getComputedStyle(grid).columnGap);
  const main = $("main");
  const top = grid.offsetTop - main.offsetTop;
  const room = main.clientHeight - top - parseFloat(getComputedStyle(main).paddingBottom);
  const wanted = Math.min(IN_SIGHT, grid.children.length);
  const sideOf = (columns) => (grid.clientWidth - gap * (columns - 1)) / columns;
  const inSight = (columns) => columns * Math.floor((room + gap) / (sideOf(columns) + gap));
  let columns = 1;
  while (inSight(columns) < wanted && sideOf(columns + 1) >= LEAST) columns += 1;
  const side = small ? Math.min(size, Math.floor(sideOf(columns))) : size;
  document.documentElement.style.setProperty("--thumb", `${side}px`);
}
