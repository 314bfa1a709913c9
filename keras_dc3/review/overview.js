// All groups at a glance, and the ways there.

const inOverview = () => !$("overview").hidden;
const isCluster = (step) => step?.kind === "group" && step.name.startsWith("cluster ");

function toggleOverview() {
  if (inOverview()) closeOverview();
  else if (state) openOverview();
}

function openOverview() {
  tick(); // the time until now was for the place below
  if (isLarge()) closeLarge();
  $("overview").hidden = false;
  $("main").inert = true;
  $("footer").hidden = true;
  $("overview").replaceChildren(...overview());
  $("overall").setAttribute("aria-expanded", "true");
  $("overview").scrollTop = 0;
  const here = $("overview").querySelector("[aria-current]");
  (here ?? $("overview").querySelector(".tile")).focus();
  here?.scrollIntoView({ block: "nearest" });
  $("said").textContent = `Overview: ${plural(blocks().length, "part")}`;
}

function closeOverview() {
  if (!inOverview()) return;
  tick();
  $("overview").hidden = true;
  $("main").inert = false;
  $("overview").replaceChildren();
  $("overall").setAttribute("aria-expanded", "false");
  $("footer").hidden = !state || state.cursor === "end";
  (thumb(focus) || $("main")).focus({ preventScroll: true });
}

/** Places in a row that belong together: a group, or single images. */
function blocks() {
  const found = [];
  for (const place of places()) {
    if (place === "end") break;
    const { kind } = stepAt(place);
    const last = found.at(-1);
    if (kind !== "group" && last?.kind === kind) last.places.push(place);
    else found.push({ kind, places: [place] });
  }
  return found;
}

function overview() {
  const list = make("ol", "tiles");
  list.append(...blocks().map((block) => make("li", "", undefined, tile(block))));
  const parts = [make("h2", "", "Overview")];
  const told = make("p", "about", `${data.order} Choose a part to go there.`.trim());
  told.append(make("span", "forkeys", " Enter does so, too; G comes back here."));
  return [...parts, told, list, ...worth()];
}

function tile(block) {
  const element = make("button", "tile");
  element.type = "button";
  const [first] = block.places;
  const place = block.places.find((one) => !isDone(one)) ?? first;
  if (block.places.includes(state.cursor)) element.setAttribute("aria-current", "true");
  const about = block.kind === "group" ? ofGroup(first) : ofSingle(block);
  element.append(...about);
  element.onclick = () => goTo(block.kind === "group" ? first : place, true);
  return element;
}

function ofSingle({ kind, places: all }) {
  const done = all.filter(isDone).length;
  const title = kind === "left" ? "Taken out of groups" : "Images alone";
  return [
    make("span", "face", "?"),
    make("b", "", title),
    make("span", "", plural(all.length, "image")),
    make("span", kind === "left" ? "" : "soft", kind === "left" ? "asked for again" : "nothing proposed"),
    progress(done === all.length, done ? `${done} answered` : "open"),
  ];
}

function ofGroup(place) {
  const step = stepAt(place);
  const face = make("span", "face", undefined, picture(items[Math.min(...step.items)].image, ""));
  const name = make("bdi", "", className(groupLabel(place)));
  const verb = isDone(place) ? "Accepted as " : state.label[place] === undefined ? "Proposed: " : "Your choice: ";
  return [
    face,
    make("b", "", titleOf(step)),
    make("span", "", plural(step.items.length, "image")),
    mixtureBar(step),
    make("span", "", verb, name),
    progress(isDone(place), groupProgress(step, isDone(place))),
  ];
}

function groupProgress(step, done) {
  const out = step.items.filter(open).length;
  const own = step.items.filter((i) => state.own[i]).length;
  const parts = [done ? "accepted" : out || own ? "begun" : "open"];
  if (out) parts.push(`${out} taken out`);
  if (own) parts.push(`${own} named`);
  return parts.join(", ");
}

function progress(done, text) {
  return make("span", done ? "state done" : "state", `${done ? "✓" : "○"} ${text}`);
}

/** The classes of a group by what the model says; the same in words. */
function mixtureBar(step) {
  const all = mixture(step);
  const shown = all.slice(0, 3);
  const rest = 1 - shown.reduce((sum, [, share]) => sum + share, 0);
  const bar = make("span", "mixture");
  for (const share of [...shown.map(([, one]) => one), Math.max(0, rest)]) {
    const part = make("span");
    part.style.flexGrow = share;
    bar.append(part);
  }
  const words = make("span", "soft");
  shown
    .filter(([, share]) => share >= 0.01)
    .forEach(([label, share], n) => {
      const name = make("bdi", "", data.classes[label]);
      words.append(n ? ", " : "", name, ` ${Math.round(100 * share)}%`);
    });
  return make("span", "mixed", undefined, bar, words);
}

/** Goes to the next cluster that is open. */
function toCluster() {
  const order = places();
  const clusters = order.filter((place) => place !== "end" && isCluster(stepAt(place)));
  const left = clusters.filter((place) => !isDone(place));
  const at = order.indexOf(state.cursor);
  const next = left.find((place) => order.indexOf(place) > at) ?? left[0];
  if (next) goTo(next, true);
  else ignore("C", clusters.length ? "All clusters are accepted." : "There is no cluster here.");
}

function arrowInOverview(key) {
  const tiles = [...$("overview").querySelectorAll(".tile")];
  const at = tiles.indexOf(document.activeElement);
  const columns = tiles.filter((one) => one.offsetTop === tiles[0].offsetTop).length;
  const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
  const to = { Home: 0, End: tiles.length - 1 }[key] ?? at + by[key];
  tiles[to]?.focus();
}

/** Returns whether the key was for the overview. */
function keyInOverview(key) {
  if (/^(Arrow|Home|End)/.test(key)) arrowInOverview(key);
  else if (/^(g|o|Escape)$/.test(key)) closeOverview();
  else if (key === "c") toCluster();
  else if (key === "?") $("keyhelp").showModal();
  else if (ANSWERS.test(key) || MORE_KEYS.test(key)) ignore(nameOf(key), "Go to a group first, or close this by Esc.");
  else return false;
  return true;
}
