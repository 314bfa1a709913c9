// Slips of the hand: answers given too soon, and double clicks. What nobody can have meant
// is no answer, and the page says so; all else counts at once. Judged are only answers to
// a card that has just come, and those for a whole group.

const TOO_SOON = 250; // milliseconds; nobody sees an image and answers as fast
const DOUBLE_CLICK = 400; // between its two clicks, at most
const TOLD_FOR = 8000; // milliseconds that a notice stays
const MOST_TOLD = 3; // notices at once

let arrived = -Infinity; // when the card appeared, milliseconds
let touched = false; // whether images of the card were marked since it appeared
let emptied = -Infinity; // when the last mark of the group was named or taken away
let searched = -Infinity; // when Enter chose a class in the search, or in a question
let lastAim = null; // what a class was for
const lookedAt = new Set(); // cards

const early = (since, event) =>
  performance.now() - since < (event?.detail > 1 ? DOUBLE_CLICK : TOO_SOON);

/** A card appears: `asked` for by the person, or by itself, after an answer. */
function appeared(cursor, asked) {
  touched = false;
  emptied = -Infinity;
  arrived = -Infinity;
  if (asked && lookedAt.has(cursor)) return; // who goes back to a card knows it
  const made = performance.now();
  arrived = made;
  requestAnimationFrame(() => {
    if (arrived === made) arrived = performance.now(); // now it is drawn
  });
}

function disappears(cursor) {
  if (!early(arrived)) lookedAt.add(cursor);
}

/** Notes when a class begins to be for the whole group, after it was for images of it. */
function aimed(aim) {
  if (aim === "group" && lastAim && lastAim !== "group") emptied = performance.now();
  lastAim = aim;
}

const MEANT = {
  group: "all images",
  marks: "the marked images",
  named: "the current image",
  large: "the large image",
  single: "this image",
  rest: "all images from here on",
};

/** Whether a class is a slip, which is told. */
function isSlip(label, aim, event) {
  const name = quoted(label);
  if (isLarge() && early(largeSince, event)) {
    ignore(`${name}, before anyone can have seen this image`, "Repeat it for this image.");
    return true;
  }
  if (early(arrived, event) && !(touched && aim !== "group")) {
    const what = aim === "single" ? "this image" : "this group";
    ignore(`${name}, before anyone can have seen ${what}`, `Repeat it for ${MEANT[aim]}.`);
    return true;
  }
  if (aim !== "group" || !early(emptied, event)) return false;
  ignore(
    `${name} for the whole group, when no image was marked any more`,
    "Repeat it for all images, or mark those first that it is for.",
  );
  return true;
}

/** Whether to accept a group is a slip, which is told. */
function isSlipToAccept(event) {
  if (early(arrived, event)) {
    ignore(
      "Accept, before anyone can have seen this group",
      "Repeat it to accept these images.",
    );
    return true;
  }
  if (event.key !== "Enter" || !early(searched)) return false;
  ignore("Enter, pressed twice", "Repeat it to accept the group.");
  return true;
}

// A name that is written from right to left must not turn the sentence around it.
const quoted = (label) => `“\u2068${className(label)}\u2069”`;

/** Says, on the page and to screen readers, what was not done and what to do instead.
 * What is `repeated`, by a key that is held down, is said once.
 */
function ignore(what, instead, repeated = false) {
  const place = openDialog()?.querySelector(".notices") ?? $("notices");
  const text = make("span", "", ` ${what}. ${instead}`);
  const notice = make("p", "", undefined, make("b", "", "Ignored:"), text);
  const same = (one) => one.textContent === notice.textContent;
  const before = [...place.children].find(same);
  if (before && repeated) return;
  before?.remove();
  place.append(notice);
  while (place.children.length > MOST_TOLD) place.firstChild.remove();
  setTimeout(() => notice.remove(), TOLD_FOR);
}
