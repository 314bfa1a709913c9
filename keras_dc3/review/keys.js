// Keys, and the search for a class.

const HELP = [
  ["1 … 9, 0", "the class: of the marked images; where none is marked, of the whole group"],
  ["U", "cannot tell"],
  ["Enter", "accept all images of the group that are not marked"],
  ["Click, Space", "mark an image that does not belong, or take the mark away"],
  ["Shift+Click, E", "mark all up to here; mark all from here to the end"],
  ["Arrow keys", "go from image to image"],
  ["N, P", "next and previous group or image"],
  ["Ctrl+Z, Ctrl+Y", "undo and redo, back to when the page was opened"],
  ["+, -", "larger and smaller images"],
  ["/", "find a class by its name, where there are more than ten"],
  ["Later", "images that are still marked when you accept come again at the end, one by one"],
];

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
const ANSWERS = /^([0-9ue ]|Enter)$/;

/** The key by its sign, and by its place where the layout has another sign there. */
function keyOf(event) {
  const key = [...event.key].length === 1 ? event.key.toLowerCase() : event.key;
  if (/^[0-9a-z]$/.test(key)) return key;
  const digit = /^Digit([0-9])$/.exec(event.code);
  if (digit && !event.shiftKey) return digit[1];
  const letter = /^Key([A-Z])$/.exec(event.code);
  return letter && /^\p{L}$/u.test(key) ? letter[1].toLowerCase() : key;
}

function onKey(event) {
  const onButton = event.target.tagName === "BUTTON";
  if (onButton && event.repeat && event.key === "Enter") event.preventDefault();
  if (!state || stale || $("keyhelp").open || event.isComposing) return;
  if (event.target.tagName === "INPUT" || !event.key) return;
  const key = keyOf(event);
  if (event.ctrlKey || event.metaKey) {
    if (event.altKey || !/^[zy]$/.test(key)) return;
    event.preventDefault();
    if (key === "y" || event.shiftKey) redo();
    else undo();
    return;
  }
  if (event.altKey || (onButton && (key === "Enter" || key === " "))) return;
  if (ANSWERS.test(key) && (event.repeat || !settled())) {
    event.preventDefault();
    return;
  }
  if (/^[0-9]$/.test(key)) {
    const label = (Number(key) + 9) % 10;
    if (label < data.classes.length) choose(label);
  } else if (KEYS[key]) KEYS[key]();
  else if (key === "Enter") accept();
  else if (key === " " && current()?.kind === "group") touch(focus);
  else if (/^(Arrow|Home|End)/.test(key) && current()) arrow(key);
  else return;
  event.preventDefault();
}

/** The class that a text means: its name, or the only one that begins so. */
function meant(text) {
  const exact = data.classes.indexOf(text);
  if (exact >= 0) return exact;
  const labels = [...data.classes.keys()];
  for (const fits of [
    (name) => name === folded(text),
    (name) => name.startsWith(folded(text)),
  ]) {
    const found = labels.filter((label) => fits(folded(data.classes[label])));
    if (found.length) return found.length === 1 ? found[0] : null;
  }
  return null;
}

/** Shows the classes with this text, and what Enter would answer. */
function onFind() {
  const text = $("find").value.trim();
  const label = text ? meant(text) : null;
  let number = 0;
  for (const button of $("classes").children) {
    const mine = Number(button.dataset.label);
    const found = mine !== UNSURE && folded(data.classes[mine]).includes(folded(text));
    button.hidden = Boolean(text) && !found;
    button.classList.toggle("aim", mine === label);
    number += found ? 1 : 0;
  }
  const asked = $("asked");
  asked.replaceChildren();
  if (!text) return;
  if (label !== null) asked.append("Enter: ", make("bdi", "", data.classes[label]));
  else asked.append(number ? `${number} found: type on, or choose one` : "No such class");
}

function onFindKey(event) {
  if (event.isComposing || (event.key !== "Enter" && event.key !== "Escape")) return;
  event.preventDefault();
  const text = $("find").value.trim();
  const label = text ? meant(text) : null;
  if (event.key === "Enter" && text && label === null) return;
  if (event.key === "Enter" && (event.repeat || !settled())) return;
  leaveFind();
  if (event.key === "Enter" && label !== null) choose(label);
}

/** What is typed next is for the images again. */
function leaveFind() {
  clearFind();
  if (document.activeElement === $("find")) (thumb(focus) || $("main")).focus();
}

function clearFind() {
  if (!$("find").value) return;
  $("find").value = "";
  onFind();
}
