// Presses of mouse, pen and fingers. Each counts once, in the order in which they began:
// a click is told by browsers only when the button or finger is lifted, after keys that
// were pressed later, and not at all where the hand has moved on or two fingers overlap.

const TAP = 24; // pixels that a finger moves in a tap, at most
const RESTING = 500; // milliseconds; a finger that lies longer may only hold the tablet
const OWED = 700; // milliseconds from lifting to the click that follows it, at most

const presses = new WeakMap(); // element -> what a press on it or within it does
const rests = new WeakMap(); // element -> what a finger does that rests on it
let pointer = ""; // the kind of the last one
let pointed = -Infinity; // when it went down, milliseconds
let resting = 0; // the timer of the finger that rests
let fingers = []; // that are down, in this order
let owed = []; // presses that are done, with their place, of which the click is to come

function onPress(element, act) {
  presses.set(element, act);
}

/** What a single finger does that stays where it is, in place of a tap. */
function onRest(element, act) {
  rests.set(element, act);
}

function watchRest() {
  clearTimeout(resting);
  const [one] = fingers;
  if (fingers.length !== 1 || !rests.has(one.element)) return;
  resting = setTimeout(() => {
    if (!rests.get(one.element)(one.target)) return;
    fingers = fingers.filter((finger) => finger !== one);
    owe(one.element, one.event, performance.now() + 5 * OWED);
  }, RESTING);
}

function pressable(target) {
  let element = target;
  while (element && !presses.has(element)) element = element.parentElement;
  return element;
}

function owe(element, { clientX: x, clientY: y }, until = Infinity) {
  owed.push({ element, x, y, until });
}

/** What was pressed by a press that is done, of which this is the click; or nothing. What
 * the press has shown may have come under the finger since: nobody has aimed at that.
 */
function settled(event, element) {
  owed = owed.filter((done) => done.until >= performance.now());
  const near = ({ x, y }) => Math.hypot(event.clientX - x, event.clientY - y) <= TAP;
  let at = owed.findIndex((done) => done.element === element);
  if (at < 0) at = owed.findIndex(near);
  return at < 0 ? undefined : owed.splice(at, 1)[0].element;
}

function press(element, event, target) {
  owe(element, event);
  presses.get(element)(event, target);
}

/** Does what fingers have begun before something else, which is done next. */
function finishTaps(last) {
  const end = last ? fingers.indexOf(last) + 1 : fingers.length;
  const begun = fingers.slice(0, end);
  clearTimeout(resting);
  fingers = fingers.slice(end);
  for (const one of begun) {
    const held = performance.now() - one.since > RESTING;
    if (one === last || !held) press(one.element, one.event, one.target);
  }
}

function watchPresses() {
  const on = (name, act) => document.addEventListener(name, act, { capture: true });
  on("pointerdown", (event) => {
    pointer = event.pointerType;
    pointed = performance.now();
    const element = pressable(event.target);
    if (!element || pointer === "mouse" || event.button) return;
    const { pointerId: id, target, clientX: x, clientY: y } = event;
    fingers.push({ id, element, event, target, x, y, since: performance.now() });
    watchRest();
  });
  on("mousedown", (event) => {
    const element = pressable(event.target);
    // A button that was clicked must not keep the Enter key from the group.
    if (event.target.closest("button")) event.preventDefault();
    if (!element || pointer !== "mouse" || event.button) return;
    finishTaps();
    press(element, event, event.target);
  });
  on("pointercancel", (event) => {
    fingers = fingers.filter((one) => one.id !== event.pointerId);
    clearTimeout(resting);
  });
  on("pointermove", (event) => {
    const one = fingers.find((finger) => finger.id === event.pointerId);
    if (one && Math.hypot(event.clientX - one.x, event.clientY - one.y) > TAP) {
      clearTimeout(resting);
    }
  });
  on("contextmenu", (event) => {
    if (pointer !== "mouse" && rests.has(pressable(event.target))) event.preventDefault();
  });
  on("pointerup", (event) => {
    const one = fingers.find((finger) => finger.id === event.pointerId);
    const { clientX: x, clientY: y } = event;
    if (one && Math.hypot(x - one.x, y - one.y) <= TAP) finishTaps(one);
    fingers = fingers.filter((finger) => finger !== one);
    for (const done of owed) done.until = Math.min(done.until, performance.now() + OWED);
  });
  on("keydown", () => finishTaps());
  // What is left are clicks of keys and of aids, which press nothing.
  on("click", (event) => {
    const element = pressable(event.target);
    const pressed = event.detail ? settled(event, element) : undefined;
    if (pressed && pressed !== element) {
      event.preventDefault();
      event.stopPropagation();
    } else if (element && !pressed) presses.get(element)(event, event.target);
  });
}
