// Keeping the answers in this browser, and the time that was really worked.

const PREFIX = `keras_dc3.review/${data.page}/`;
const LONGEST_GAP = 30; // seconds; a longer one between two movements is a break
const SAVE_EVERY = 5000; // milliseconds, of time alone: answers are kept at once

let kept = true; // whether the last attempt to keep the answers worked
let stale = false; // another tab has gone on with these answers
let last = null; // when time was last counted, milliseconds
let lastSave = 0;

function readKey(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function writeKey(key, text) {
  try {
    localStorage.setItem(key, text);
    return null;
  } catch (error) {
    const full = error && (error.name === "QuotaExceededError" || error.code === 22);
    return full ? "its storage is full" : "its storage is forbidden or not available";
  }
}

/** Everybody who has worked on this page in this browser: [{annotator, count}]. */
function sessions() {
  const found = [];
  try {
    for (let n = 0; n < localStorage.length; n += 1) {
      const key = localStorage.key(n);
      if (!key.startsWith(`${PREFIX}of/`)) continue;
      const one = load(key.slice(PREFIX.length + 3));
      if (one) found.push(one);
    }
  } catch {
    return [];
  }
  return found.sort((a, b) => (a.saved < b.saved ? 1 : -1));
}

/** Returns what was kept of an annotator; null if there is nothing that can be used. */
function load(annotator) {
  const text = readKey(`${PREFIX}of/${annotator}`);
  if (text === null) return null;
  try {
    const found = JSON.parse(text);
    const maps = ["own", "marked", "label", "done", "seconds", "begun"];
    const whole = maps.every((map) => typeof found[map] === "object" && found[map]);
    if (found.version === 1 && found.annotator === annotator && whole) return found;
  } catch {
    // told below
  }
  writeKey(`${PREFIX}unreadable/${annotator}`, text);
  return null;
}

function save() {
  if (!state || stale) return;
  state.saved = now();
  const why =
    writeKey(`${PREFIX}of/${state.annotator}`, JSON.stringify(state)) ||
    writeKey(`${PREFIX}last`, state.annotator);
  kept = !why;
  lastSave = performance.now();
  showSaved(why);
}

/** Tells at once, before anything was answered, where nothing can be kept. */
function probe() {
  const why = writeKey(`${PREFIX}probe`, "x".repeat(20000));
  kept = !why;
  if (kept) localStorage.removeItem(`${PREFIX}probe`);
  showSaved(why);
}

/** Adds the time since the last movement to the current place, breaks cut off. */
function tick() {
  const time = performance.now();
  if (state && last !== null && state.cursor !== "end") {
    const gap = Math.min((time - last) / 1000, LONGEST_GAP);
    state.seconds[state.cursor] = (state.seconds[state.cursor] || 0) + gap;
  }
  last = document.hidden || !state ? null : time;
  if (state && time - lastSave > SAVE_EVERY) save();
}

function watch() {
  const movements = ["pointerdown", "pointermove", "keydown", "wheel"];
  for (const name of movements) {
    addEventListener(name, tick, { capture: true, passive: true });
  }
  document.addEventListener("scroll", tick, { capture: true, passive: true });
  document.addEventListener("visibilitychange", () => {
    tick();
    save();
  });
  addEventListener("pagehide", () => {
    tick();
    save();
  });
  addEventListener("beforeunload", (event) => {
    if (state && !kept && !stale && answered()) event.preventDefault();
  });
  addEventListener("storage", (event) => {
    if (!state || event.key !== `${PREFIX}of/${state.annotator}`) return;
    stale = true;
    showStale();
  });
}
