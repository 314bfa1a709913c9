// Answers beyond the classes of the list: a new class, two classes, a note; and the menu in
// which they stand for whoever has no keys.

const MOST_LETTERS = 100; // of a class that is typed
const MOST_OF_NOTE = 1000; // letters
let typing = ""; // the name of a class that is being added

const MORE = [
  ["b", "Bad image", "broken, blurred, nothing on it"],
  ["x", "None of these", "a class is missing"],
  ["t", "New class …", "type its name"],
  ["s", "Two classes …", "such as 70% and 30%"],
  ["m", "Note …", "on the current image"],
  ["h", "From here to the end …", "the next class is for all of these images", "group"],
  ["j", "Join the next group", "to accept both at once", "group"],
  ["J", "Take joined groups apart", "", "joined"],
];
const MORE_KEYS = /^[bxtsmhj]$/;

function openMore() {
  const step = current();
  if (!step) return;
  const there = { group: step.kind === "group", joined: Boolean(step.parts?.includes(",")) };
  const chosen = MORE.filter(([, , , only]) => !only || there[only]);
  $("morelist").replaceChildren(
    ...chosen.map(([key, name, about]) => {
      const one = button("", "", (event) => {
        $("more").close();
        if (key === "J") takeApart();
        else KEYS[key](event);
      });
      one.append(make("kbd", "", key === "J" ? "Shift+J" : key.toUpperCase()));
      const stops = key === "h" && fromHere;
      one.append(make("b", "", stops ? "No longer from here to the end" : name));
      one.append(make("span", "", stops ? "" : about));
      return one;
    }),
  );
  $("more").querySelector(".forwhom").textContent = forWhom();
  $("more").showModal();
}

/** Which images an answer is for, for who sees a window over them. */
function forWhom() {
  if (!current()) return "";
  if (aim() !== "group") return `An answer is for ${MEANT[aim()]}.`;
  return "An answer is for all images of the group. If it is for some alone, mark these first.";
}

/** Asks something in a window of its own.
 * `act` gets the event and returns what is wrong with what was filled in, or "".
 */
function inquire(title, fields, done, act, whom = forWhom()) {
  if (!current()) {
    ignore(title, NO_IMAGE);
    return;
  }
  $("asktitle").textContent = title;
  $("ask").querySelector(".forwhom").textContent = whom;
  const problem = make("p", "problem");
  problem.setAttribute("role", "alert");
  const cancel = button("Cancel", "", () => $("ask").close());
  const row = make("div", "row", undefined, make("button", "primary", done), cancel);
  $("askform").replaceChildren(...fields, problem, row);
  $("askform").onsubmit = (event) => {
    event.preventDefault();
    problem.textContent = act(event);
    if (problem.textContent) return;
    searched = performance.now();
    $("ask").close();
  };
  $("askform").onkeydown = (event) => {
    if (event.key === "Enter" && event.target.tagName === "SELECT") submitBy(event);
  };
  $("ask").showModal();
}

/** Answers by a key, which is then not for the images as well. */
function submitBy(event) {
  event.preventDefault();
  event.stopPropagation();
  $("askform").requestSubmit();
}

function field(text, element) {
  return make("label", "field", undefined, make("span", "", text), element);
}

/** A class that is missing in the list; a name that is there is that class. */
function askForClass() {
  const input = make("input");
  input.maxLength = 2 * MOST_LETTERS; // some letters count as two there
  input.autocomplete = "off";
  const near = make("div", "near");
  near.setAttribute("role", "status");
  input.oninput = () => near.replaceChildren(...nearest(input.value));
  inquire("A class that is missing", [field("Its name", input), near], "Answer", (event) =>
    addClass(input.value, event),
  );
}

/** Buttons of classes that somebody may mean, who types this. */
function nearest(text) {
  const typed = folded(tidy(text));
  if (!typed) return [];
  const fits = (label) => {
    const name = folded(className(label));
    const slips = typed.length > 4 ? 2 : typed.length > 2 ? 1 : 0;
    return name.includes(typed) || distance(name, typed) <= slips;
  };
  const found = classes().filter(fits).slice(0, 5);
  if (!found.length) return [];
  const buttons = found.map((label) => {
    const one = button("", "", (event) => {
      $("ask").close();
      choose(label, event);
    });
    one.append(make("bdi", "", className(label)));
    return one;
  });
  return [make("span", "", "There is: "), ...buttons];
}

/** How many letters must be changed, put in or left out to make one word the other. */
function distance(one, other) {
  let before = Array.from({ length: other.length + 1 }, (_, i) => i);
  for (let i = 1; i <= one.length; i += 1) {
    const line = [i];
    for (let j = 1; j <= other.length; j += 1) {
      const same = before[j - 1] + (one[i - 1] === other[j - 1] ? 0 : 1);
      line.push(Math.min(same, before[j] + 1, line[j - 1] + 1));
    }
    before = line;
  }
  return before[other.length];
}

/** A name without outer blanks, and with single ones within. */
function tidy(text) {
  return trimmed((text.toWellFormed?.() ?? text).replace(/\s+/gu, " ")).normalize("NFC");
}

/** Answers with a typed class; returns what is wrong with its name, or "". */
function addClass(text, event) {
  const name = tidy(text);
  if (!/[\p{L}\p{N}\p{P}\p{S}]/u.test(name)) return "Please give a name that can be seen.";
  if ([...name].length > MOST_LETTERS) {
    return `Please give a name of at most ${MOST_LETTERS} letters.`;
  }
  if (/^[=+@-]/.test(name)) return "A name cannot begin with =, +, - or @.";
  const without = Object.keys(WITHOUT_CLASS).map(Number);
  const known = [...without, ...classes()];
  const exact = known.find((label) => className(label) === name);
  const alike = known.filter((label) => folded(className(label)) === folded(name));
  if (exact === undefined && alike.length > 1) {
    return `Several classes are called so: ${alike.map(className).join(", ")}. Write it as one of them.`;
  }
  const label = exact ?? alike[0];
  if (label !== undefined) {
    choose(label, event);
    return "";
  }
  typing = name;
  const added = data.classes.length + Object.keys(state.added).length;
  if (choose(added, event, [["added", added, name]])) say(`New class: ${name}. ${told()}`);
  typing = "";
  return "";
}

/** An answer that is one class in part, and another one for the rest. */
function askForSplit() {
  const labels = classes();
  if (labels.length < 2) {
    ignore("Two classes", "There is only one; T adds another.");
    return;
  }
  const [one, two, percent] = splitSoFar(labels);
  const selects = [one, two].map((chosen) => {
    const select = make("select");
    for (const label of labels) {
      const option = make("option", "", className(label));
      option.value = label;
      option.selected = label === chosen;
      select.append(option);
    }
    return select;
  });
  const share = make("input");
  Object.assign(share, { type: "range", min: 5, max: 95, step: 5, value: percent });
  const told = make("output");
  const names = () => selects.map((select) => Number(select.value));
  const show = () => {
    const [first, second] = names();
    told.textContent = className([first, second, Number(share.value)]);
    share.setAttribute("aria-valuetext", told.textContent);
  };
  for (const element of [...selects, share]) element.oninput = show;
  const fields = [
    field("One class", selects[0]),
    field("Another class", selects[1]),
    field("Share of the first", share),
    told,
  ];
  inquire("Two classes", fields, "Answer", (event) => {
    const [first, second] = names();
    if (first === second) return "Please choose two different classes.";
    const part = Number(share.value);
    choose(part < 50 ? [second, first, 100 - part] : [first, second, part], event);
    return "";
  });
  if ($("ask").open) show();
}

/** What a split begins with: that of the image or group that it is for, else the class of
 * it and the next. */
function splitSoFar(labels) {
  const step = current();
  const ofOne = step && /^(single|named|large)$/.test(aim());
  const one = ofOne ? answerOf(itemHere())?.[0] : undefined;
  const given = one ?? (step?.kind === "group" ? groupLabel(state.cursor) : undefined);
  if (Array.isArray(given)) return given;
  const first = labels.includes(given) ? given : labels[0];
  return [first, labels.find((label) => label !== first), 70];
}

/** A text on the current image. */
function askForNote() {
  const step = current();
  const n = step?.kind === "group" ? focus : 0;
  const item = step?.items[n];
  const area = make("textarea");
  area.rows = 4;
  area.maxLength = MOST_OF_NOTE;
  area.value = state.notes[item] ?? "";
  area.onkeydown = (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submitBy(event);
  };
  const which = step?.kind === "group" ? `Note on image ${n + 1}` : "Note on this image";
  inquire(which, [field("Ctrl+Enter keeps it; an empty one is taken away", area)], "Keep", () => {
    const text = trimmed(area.value.toWellFormed?.() ?? area.value);
    if (text === (state.notes[item] ?? "")) return "";
    act([["notes", item, text || undefined]]);
    say(text ? "The note is kept." : "The note is taken away.");
    return "";
  }, "");
}
