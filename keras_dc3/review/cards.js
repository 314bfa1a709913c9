// The first and the last card, and the alarm.

// Where the page lies within another one, that may forbid to begin and to download.
const PREVIEW =
  " If this is a preview, save the file and open it in a browser, before you begin.";

function button(text, classes, act) {
  const element = make("button", classes, text);
  element.type = "button";
  element.onclick = act;
  return element;
}

function welcome() {
  if (share) return arrival();
  const card = make("div", "card");
  card.append(make("h2", "", "Who is annotating?"));
  const before = sessions();
  if (before.length) {
    const row = make("div", "row");
    for (const { annotator, saved } of before) {
      const one = button("", "primary", () => begin(annotator));
      one.append("Continue as ", make("bdi", "", annotator));
      one.dataset.annotator = annotator;
      one.title = `Last saved: ${new Date(saved).toLocaleString()}`;
      row.append(one);
    }
    card.append(row, make("p", "about", "or I am somebody else:"));
  }
  const form = make("form");
  const input = make("input");
  input.id = "name";
  input.maxLength = 100;
  input.placeholder = "Your name";
  input.setAttribute("aria-label", "Your name");
  input.autocomplete = "off";
  form.append(input, make("button", "primary", "Start"));
  const problem = make("p", "problem");
  problem.setAttribute("role", "status");
  form.onsubmit = (event) => {
    event.preventDefault();
    const name = trimmed(input.value.toWellFormed?.() ?? input.value);
    problem.textContent = named(name, [...card.querySelectorAll(".row button")]);
  };
  const note =
    "Your answers stay in this browser until you download them; a private window " +
    "forgets them when it is closed.";
  card.append(form, problem, howMany(), ...instructions(), make("p", "about", note));
  card.append(...classList(), ...worth());
  return card;
}

/** The first card of a page from a server, which knows who answers. */
function arrival() {
  const card = make("div", "card");
  const person = share.person();
  if (!person) {
    card.append(make("h2", "", "Asking the server who you are …"));
    return card;
  }
  const go = button("", "primary", () => begin(person));
  go.append("Start as ", make("bdi", "", person));
  go.dataset.annotator = person;
  const note =
    "Your answers are kept on the server, and in this browser until it has them. You can " +
    "go on at any time, on another computer, too, by the same address.";
  card.append(make("h2", "", "Welcome"), howMany(), make("div", "row", undefined, go));
  card.append(...instructions(), make("p", "about", note), ...classList(), ...worth());
  return card;
}

function howMany() {
  const number = plural(items.length, "answer");
  return make("p", "about", `${number} are asked for on this page.`);
}

/** What a person is to do, by what there is on the page. */
function instructions() {
  const groups = data.steps.some((step) => step.kind === "group");
  const single = data.steps.some((step) => step.kind !== "group");
  const told = [];
  if (groups) {
    told.push(
      "A group comes with a class: mark the images that are something else, then accept the rest.",
      "Say what the marked ones are at once, or one by one at the end.",
    );
  } else told.push("Say what each image shows.");
  if (single && groups) {
    told.push(
      "Images that come alone, in blocks between the groups, come without a class, so that your own view of them is known.",
    );
  }
  told.push("Where you cannot tell, say so; nobody needs to guess.");
  const list = make("ul", "told");
  list.append(...told.map((text) => make("li", "", text)));
  return [make("h3", "", "What to do"), list];
}

/** What the proposals are worth, as far as it was measured; closed, as it is for who
 * made the page: people who know how good a model is answer otherwise. */
function worth() {
  const [first, ...findings] = data.verdict ?? [];
  if (!first) return [];
  const list = make("ul");
  list.append(...findings.map((text) => make("li", "", text)));
  const summary = make("summary", "", "About the model");
  return [make("details", "verdict", undefined, summary, make("p", "", first), list)];
}

/** Without outer blanks and signs that nobody sees, as the files are read. */
function trimmed(text) {
  const unseen = "[\\s\\u0085\\u001c-\\u001f\\u200b-\\u200d\\u2060\\ufeff]+";
  return text.replace(RegExp(`^${unseen}|${unseen}$`, "g"), "");
}

const folded = (text) => text.normalize("NFKC").toLowerCase();

/** Starts under a new name; returns what is wrong with it. */
function named(name, buttons) {
  if (!/[\p{L}\p{N}\p{P}\p{S}]/u.test(name)) return "Please give a name that can be seen.";
  const known = buttons.find((one) => folded(one.dataset.annotator) === folded(name));
  if (!known) {
    begin(name);
    return "";
  }
  known.focus();
  return `${known.dataset.annotator} has answers on this page. Continue them with the button above, or give another name.`;
}

function ending() {
  const card = make("div", "card");
  const missing = items.length - answered();
  card.append(make("h2", "", missing ? "The end, with gaps" : "All done, thank you"));
  const text = missing
    ? `${plural(missing, "answer")} of ${items.length} are still open.`
    : share
      ? `${plural(items.length, "answer")}. The server has them once it says so above.`
      : `${plural(items.length, "answer")}. Download the file and send it back.`;
  card.append(make("p", "about", text));
  const row = make("div", "row");
  if (missing) row.append(button("Go to the first gap", "primary", () => goTo(firstOpen())));
  row.append(
    button("Download JSON", missing || share ? "" : "primary", () => download("json")),
    button("Download CSV", "", () => download("csv")),
    button("Back", "", () => move(-1)),
  );
  card.append(row);
  return card;
}

/** Tells, most urgent first, what may cost answers. */
function showAlarm() {
  const here = unkept || stale ? "not saved" : "saved in this browser";
  const saved = share ? share.whereKept() : here;
  $("saved").textContent = state || unkept ? saved : "";
  const alarm = $("alarm");
  const names = [...damaged.keys()].join();
  const away = share ? share.alarmOfServer() : unkept;
  const why = stale ? "stale" : away || (names && `damaged: ${names}`);
  alarm.hidden = !why;
  if (!why || alarm.dataset.why === why) return;
  alarm.dataset.why = why;
  if (stale) {
    alarm.replaceChildren(
      share
        ? "These answers are being changed elsewhere, in another tab or on another " +
            "computer. What was answered here is kept beside them."
        : "These answers are being changed in another tab or window; nothing is kept here.",
      button("Go on here", "", takeOver),
    );
  } else if (share && away) {
    alarm.textContent = away;
  } else if (away) {
    alarm.textContent =
      `This browser cannot keep your answers: ${unkept}. ` +
      "They are lost when this page is closed. Download them before." +
      (window === window.top ? "" : PREVIEW);
  } else {
    alarm.replaceChildren(
      "Answers that this browser has kept are damaged and cannot be shown: those of ",
      ...[...damaged].flatMap(([name, text]) => [
        make("bdi", "", name),
        button("Download the remains", "", () =>
          offer(text, "text/plain", `${data.name}-${fileName(name)}-remains.txt`),
        ),
      ]),
      button("Close", "", () => {
        damaged.clear();
        showAlarm();
      }),
    );
  }
}
