// Keeping the answers in this browser, and the time that was really worked.

const PREFIX = `keras_dc3.review/${data.page}/`;
const LONGEST_GAP = 30; // seconds; a longer one between two movements is a break
const SAVE_EVERY = 5000; // milliseconds, of time alone: answers are kept at once

let unkept = null; // why the last attempt to keep the answers failed
const damaged = new Map(); // annotator -> what was kept of them and cannot be read
const unsaved = new Map(); // annotator -> state that only this page has
let kept = null; // `changes` of what this tab has last written or read
let stale = false; // another tab has gone on with these answers
let share = null; // what sends answers to a server, on a page that one has given
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
    return localStorage.getItem(key) === text ? null : "its storage keeps nothing";
  } catch (error) {
    const full = error && (error.name === "QuotaExceededError" || error.code === 22);
    return full ? "its storage is full" : "its storage is forbidden or not available";
  }
}

/** States of everybody who has worked on this page in this browser, latest first. */
function sessions() {
  const found = [];
  try {
    const start = `${PREFIX}of/`;
    const keys = Object.keys(localStorage).filter((key) => key.startsWith(start));
    for (const key of keys) {
      const one = load(key.slice(start.length));
      if (one) found.push(one);
    }
  } catch {
    // Then only what this page has itself.
  }
  for (const [annotator, one] of unsaved) {
    const at = found.findIndex((other) => other.annotator === annotator);
    if (at >= 0) found.splice(at, 1);
    found.push(one);
  }
  return found.sort((a, b) => (a.saved < b.saved ? 1 : -1));
}

/** Returns what was kept of an annotator; null if there is nothing that can be used. */
function load(annotator) {
  if (unsaved.has(annotator)) return unsaved.get(annotator);
  const text = readKey(`${PREFIX}of/${annotator}`);
  const found = stored(annotator);
  if (text === null || found) return found;
  damaged.set(annotator, text);
  writeKey(`${PREFIX}unreadable/${annotator}`, text);
  return null;
}

/** What the browser has kept, which another tab may have written. */
function stored(annotator) {
  const text = readKey(`${PREFIX}of/${annotator}`);
  return text === null ? null : usable(text, annotator);
}

function usable(text, annotator) {
  const maps = ["own", "marked", "label", "done", "seconds", "begun"];
  const further = ["added", "notes", "joined"]; // that earlier releases did not have
  try {
    const found = JSON.parse(text);
    for (const map of further) found[map] ??= {};
    const isClass = (label) =>
      Number.isInteger(label) && (data.classes[label] ?? found.added[label]) !== undefined;
    const isSplit = ([first, second, percent], length) =>
      length === 3 &&
      [first, second].every(isClass) &&
      first !== second &&
      Number.isInteger(percent) &&
      percent >= 50 &&
      percent < 100;
    const isLabel = (label) =>
      Array.isArray(label)
        ? isSplit(label, label.length)
        : Object.hasOwn(WITHOUT_CLASS, label) || isClass(label);
    const whole =
      found.version === 1 &&
      found.annotator === annotator &&
      [...maps, ...further].every((map) => typeof found[map] === "object" && found[map]) &&
      Object.entries(found.own).every(([i, [label]]) => items[i] && isLabel(label)) &&
      Object.entries(found.label).every(([i, label]) => data.steps[i] && isLabel(label)) &&
      Object.values(found.added).every((name) => typeof name === "string") &&
      Object.entries(found.notes).every(([i, text]) => items[i] && typeof text === "string") &&
      Object.entries(found.joined).every((pair) => pair.every((i) => data.steps[i]?.label >= 0));
    if (!whole) return null;
    found.changes ??= 0;
    return found;
  } catch {
    return null;
  }
}

function save() {
  if (!state || stale) return;
  state.saved = now();
  share?.send();
  if (overtaken()) {
    stale = true;
    share?.setAside(state);
    showAlarm();
    return;
  }
  unkept = writeKey(`${PREFIX}of/${state.annotator}`, JSON.stringify(state));
  if (!unkept) {
    kept = state.changes;
    unsaved.delete(state.annotator);
  }
  lastSave = performance.now();
  showAlarm();
}

/** Whether another tab has gone on, of which a sleeping tab may not have heard. */
function overtaken() {
  const found = stored(state.annotator);
  if (!found || (share && unkept)) return false; // a server tells it by itself
  return found.session !== state.session || found.changes !== kept;
}

/** Tells at once, before anything was answered, where nothing can be kept. */
function probe() {
  unkept = writeKey(`${PREFIX}probe`, "x".repeat(20000));
  if (!unkept) localStorage.removeItem(`${PREFIX}probe`);
  showAlarm();
}

/** Adds the time since the last movement to the current place, breaks cut off. */
function tick() {
  const time = performance.now();
  if (state && last !== null && state.cursor !== "end" && !inOverview()) {
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
    const only = share ? share.alarmOfServer() && !share.hasAll() : unkept;
    if ((state && only && answered()) || unsaved.size) event.preventDefault();
  });
  addEventListener("storage", (event) => {
    if (!state || event.key !== `${PREFIX}of/${state.annotator}`) return;
    stale = true;
    showAlarm();
  });
}
