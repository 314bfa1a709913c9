// The order of the images of a group on the screen, and what the model says of each.
// Files keep the order of the page, whatever the screen shows.

const ORDERS = {
  typical: "typical ones first",
  between: "between two classes",
  name: "by name",
};

let ordering = "typical";
let odds = false; // whether probabilities are shown

/** [[class, percent], ...] of an image of a group, the likeliest first. */
function likely(item) {
  const found = data.likely[items[item].image] ?? [];
  const pairs = [];
  for (let n = 0; n < found.length; n += 2) pairs.push([found[n], found[n + 1]]);
  return pairs;
}

const percent = (item, label) => likely(item).find(([one]) => one === label)?.[1] ?? 0;

/** [[class, share], ...] of a group, the largest first. */
function mixture(step) {
  const sums = new Map();
  for (const item of step.items) {
    for (const [label, value] of likely(item)) {
      sums.set(label, (sums.get(label) ?? 0) + value / 100 / step.items.length);
    }
  }
  return [...sums].sort((a, b) => b[1] - a[1]);
}

/** The two classes between which the images of a group are put in order. */
function ends(step) {
  const [first = 0, second = first ? 0 : 1] = mixture(step).map(([label]) => label);
  step.ends ??= [first, Math.min(second, data.classes.length - 1)];
  return step.ends;
}

/** Puts the items of a group in the chosen order; each is known by its number, which
 * follows the order of the page.
 */
function arrange(step) {
  const [from, to] = ends(step);
  const toward = (item) => percent(item, from) - percent(item, to);
  const name = (item) => data.images[items[item].image];
  const compare = {
    typical: () => 0,
    between: (a, b) => toward(b) - toward(a),
    name: (a, b) => name(a).localeCompare(name(b), undefined, { numeric: true }),
  }[ordering];
  step.items = [...step.items].sort((a, b) => compare(a, b) || a - b);
}

/** Shows the images of the group in the chosen order; the current one stays current. */
function rearrange() {
  const step = current();
  const item = step.items[focus];
  const boxes = new Map(step.items.map((one, n) => [one, thumb(n)]));
  arrange(step);
  focus = step.items.indexOf(item);
  $("grid").append(...step.items.map((one) => boxes.get(one)));
  $("ends").hidden = ordering !== "between";
  refresh();
}

function select(options, chosen, label, choose) {
  const element = make("select");
  element.setAttribute("aria-label", label);
  for (const [value, text] of options) {
    const option = make("option", "", text);
    option.value = value;
    element.append(option);
  }
  element.value = chosen;
  element.onchange = () => {
    choose(element.value);
    // What is typed next is for the images, unless keys are at work on the list.
    if (performance.now() - pointed < 10000) thumb(focus)?.focus({ preventScroll: true });
  };
  return element;
}

/** The tools above the images of a group. */
function tools(step) {
  const order = select(Object.entries(ORDERS), ordering, "Order of the images", (value) => {
    ordering = value;
    rearrange();
  });
  const names = [...data.classes.keys()].map((label) => [label, data.classes[label]]);
  const both = make("span", "", undefined);
  both.id = "ends";
  both.hidden = ordering !== "between";
  for (const n of [0, 1]) {
    const told = n ? "to the class" : "From the class";
    const one = select(names, ends(step)[n], told, (value) => {
      ends(step)[n] = Number(value);
      rearrange();
    });
    both.append(n ? " to " : "", one);
  }
  const shown = tool("Probabilities", "V", "What the model says of each image", toggleOdds);
  shown.id = "odds";
  const row = make("div", "tools", undefined);
  row.append(
    tool("Large", "Z", "The current image, large", toggleLarge),
    tool("Why?", "W", "Why the current image is here", toggleWhy),
    shown,
    make("label", "", "Order: ", order),
    both,
  );
  return row;
}

function tool(text, key, title, act) {
  const button = make("button", "", `${text} `, make("kbd", "", key));
  button.type = "button";
  button.title = `${title} (${key})`;
  onPress(button, act);
  return button;
}

function toggleOdds() {
  if (!isForGroup("V")) return;
  odds = !odds;
  refresh();
}

/** Tells what the model says of each image, where that is asked for. */
function refreshOdds(step) {
  $("grid").classList.toggle("odds", odds);
  $("odds").setAttribute("aria-pressed", odds ? "true" : "false");
  step.items.forEach((item, n) => {
    const [first, second] = likely(item);
    const told = [first, second].filter(Boolean);
    const text = told.map(([label, value]) => `${data.classes[label]} ${value}%`);
    thumb(n).querySelector(".odd").textContent = odds ? text.join(", ") : "";
  });
}
