// Keys, and the search for a class.

const HELP = [
  ["Z, long tap", "the current image large; +, − and Shift+Arrow keys zoom and move it"],
  [", . I", "in the large view: darker, brighter, dark for light"],
  ["G, C", "overview of all groups; the next cluster that is open"],
  ["W, V", "why the current image is here; what the model says of each image"],
  ["1 … 9, 0", "the class: of the marked images; where none is marked, of the whole group"],
  ["U", "cannot tell"],
  ["B, X", "bad image: broken, blurred, nothing on it; none of these: a class is missing"],
  ["T, S", "type a new class; split the answer between two classes, such as 70% and 30%"],
  ["M", "a note on the current image"],
  ["Enter", "accept all images of the group that are not marked"],
  ["H", "then a class: for all images from the current one to the end of the group"],
  ["J, Shift+J", "join the next group to this one, to accept both at once; take them apart"],
  ["Click, Space", "mark an image that does not belong, or take the mark away"],
  ["Shift+Click, E", "mark all up to here; mark all from here to the end"],
  ["Arrow keys", "go from image to image"],
  ["N, P", "next and previous group or image"],
  ["Ctrl+Z, Ctrl+Y", "undo and redo, back to when the page was opened"],
  ["+, -", "larger and smaller images"],
  ["/", "find a class by its name, where there are more than ten"],
  ["Ignored", "answers given too soon for anyone to have seen the images; the page says so"],
  ["Later", "images that are still marked when you accept come again at the end, one by one"],
];

const KEYS = {
  n: () => move(1),
  p: () => move(-1),
  u: (event) => choose(UNSURE, event),
  b: (event) => choose(BAD, event),
  x: (event) => choose(NONE, event),
  t: askForClass,
  s: askForSplit,
  m: askForNote,
  h: toggleRest,
  j: (event) => (event.shiftKey ? takeApart() : joinNext()),
  Escape: () => fromHere && toggleRest(),
  e: () => isForGroup("E") && mark(current().items.slice(focus)),
  " ": () => isForGroup("Space") && touch(focus),
  Enter: accept,
  "+": () => resize(40),
  "=": () => resize(40),
  "-": () => resize(-40),
  "/": () => {
    if (data.classes.length > 10) $("find").focus();
    else ignore("/", "Classes are searched where there are more than ten.");
  },
  "?": () => $("keyhelp").showModal(),
  z: toggleLarge,
  g: toggleOverview,
  c: toCluster,
  w: toggleWhy,
  v: toggleOdds,
};
const ANSWERS = /^([0-9uebx ]|Enter)$/;
const ONCE = /^[tsmhj]$/; // which count once, too, however long they are held

/** The key by its sign, and by its place where the layout has another sign there, or
 * where Shift is still held down. */
function keyOf(event) {
  const key = [...event.key].length === 1 ? event.key.toLowerCase() : event.key;
  if (/^[0-9a-z]$/.test(key)) return key;
  const digit = /^Digit([0-9])$/.exec(event.code);
  if (digit && !(event.shiftKey && KEYS[key])) return digit[1];
  const letter = /^Key([A-Z])$/.exec(event.code);
  return letter && /^\p{L}$/u.test(key) ? letter[1].toLowerCase() : key;
}

const HELD = "It counts once; let it go and press it again.";
const nameOf = (key) => ({ " ": "Space", Enter: "Enter" })[key] ?? key.toUpperCase();

/** Whether a key is for a field, and not for the images. */
function isTyping(field, key) {
  if (field.tagName === "SELECT") {
    if (!/^(Escape|Enter)$/.test(key)) return true;
    (thumb(focus) || $("main")).focus({ preventScroll: true });
    return true;
  }
  if (field.tagName !== "INPUT") return false;
  return field.type !== "range" || /^(Arrow|Home|End|Page)/.test(key);
}

function onKey(event) {
  const onButton = event.target.tagName === "BUTTON";
  if (onButton && event.repeat && event.key === "Enter") event.preventDefault();
  if (!state || event.isComposing || !event.key) return;
  const key = keyOf(event);
  const answers = ANSWERS.test(key);
  if (openDialog()) {
    const isField = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
    const forButton = onButton && /^( |Enter)$/.test(key);
    if (isField || forButton || event.ctrlKey || event.metaKey || event.altKey) return;
    if ($("more").open && MORE_KEYS.test(key)) {
      $("more").close();
      KEYS[key](event);
      event.preventDefault(); // else the letter is typed into what it opens
    } else if (key === "w" && $("why").open) $("why").close();
    else if (answers) ignore(nameOf(key), "Close this first, by Esc.");
    return;
  }
  if (isTyping(event.target, key)) return;
  if (event.ctrlKey || event.metaKey || event.altKey) {
    if (!event.altKey && /^[zy]$/.test(key)) {
      event.preventDefault();
      if (key === "y" || event.shiftKey) redo();
      else undo();
    } else if (answers && !event.repeat) {
      const held = event.altKey ? "Alt" : event.ctrlKey ? "Ctrl" : "Command";
      ignore(`${nameOf(key)} while ${held} is held down`, "Press it alone.");
    }
    return;
  }
  if (onButton && (key === " " || (key === "Enter" && !event.repeat))) return;
  if (inOverview()) {
    if (keyInOverview(key)) event.preventDefault();
    return;
  }
  if ((answers || ONCE.test(key)) && event.repeat) {
    ignore(`${nameOf(key)}, held down`, HELD, true);
  } else if (/^[0-9]$/.test(key)) {
    const label = (Number(key) + 9) % 10;
    if (classes().includes(label)) choose(label, event);
    else ignore(key, "No class has this key.");
  } else if (isLarge() && LARGE_KEYS[key]) LARGE_KEYS[key]();
  else if (KEYS[key]) KEYS[key](event);
  else if (/^(Arrow|Home|End)/.test(key) && current()) arrow(key, event.shiftKey);
  else return;
  event.preventDefault();
}

/** The class that a text means: its name, or the only one that begins so. */
function meant(text) {
  const labels = classes();
  const exact = labels.find((label) => className(label) === text);
  if (exact !== undefined) return exact;
  for (const fits of [
    (name) => name === folded(text),
    (name) => name.startsWith(folded(text)),
  ]) {
    const found = labels.filter((label) => fits(folded(className(label))));
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
    const found = mine !== UNSURE && folded(className(mine)).includes(folded(text));
    button.hidden = Boolean(text) && !found;
    button.classList.toggle("aim", mine === label);
    number += found ? 1 : 0;
  }
  const asked = $("asked");
  asked.replaceChildren();
  if (!text) return;
  if (label !== null) asked.append("Enter: ", make("bdi", "", className(label)));
  else asked.append(number ? `${number} found: type on, or choose one` : "No such class");
}

function onFindKey(event) {
  if (event.isComposing || (event.key !== "Enter" && event.key !== "Escape")) return;
  event.preventDefault();
  const text = $("find").value.trim();
  const label = text ? meant(text) : null;
  if (event.key === "Escape") leaveFind();
  else if (event.repeat) ignore("Enter, held down", HELD, true);
  else if (!text) {
    leaveFind();
    ignore("Enter in the empty search", "Press it again if it is for the images.");
  } else if (label !== null && choose(label, event)) searched = performance.now();
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
