// The large view: one image over the others, to zoom into and to see in other light.

const LIGHT = { brightness: 100, contrast: 100, inverted: false };
const STEP = 20; // percent of brightness that a key adds
const PAN = 80; // pixels that an arrow key moves a zoomed image

let lens = null; // zooms and moves the image
let light = { ...LIGHT }; // stays when other images are shown
let largeSince = -Infinity; // when the image came, milliseconds

const isLarge = () => !$("large").hidden;

/** The item that the keys act on. */
const itemHere = () => {
  const step = current();
  return step.items[step.kind === "group" ? focus : 0];
};

function toggleLarge() {
  if (isLarge()) closeLarge();
  else if (state && current()) openLarge();
  else ignore("Z", NO_IMAGE);
}

function openLarge(n = focus) {
  if (current().kind === "group") focus = n;
  $("large").hidden = false;
  $("main").inert = true;
  lens ??= makeLens();
  showLarge();
  $("large").focus();
  refresh();
}

/** Takes the large view away, before something else is shown. */
function hideLarge() {
  $("large").hidden = true;
  $("main").inert = false;
  $("lens").dataset.image = "";
}

function closeLarge() {
  hideLarge();
  refresh();
  (thumb(focus) || $("main")).focus({ preventScroll: true });
  thumb(focus)?.scrollIntoView({ block: "nearest" });
}

/** Whether the large view stays open from one place to the next: from single image to
 * single image. A group is first seen as a whole.
 */
function keepsLarge(from, to) {
  const single = (cursor) => cursor !== "end" && stepAt(cursor).kind !== "group";
  return from !== undefined && single(from) && single(to);
}

function makeLens() {
  const made = Panzoom($("lensimage"), {
    canvas: true,
    cursor: "default",
    maxScale: 8,
    minScale: 1,
    panOnlyWhenZoomed: true,
    step: 0.4,
  });
  $("lens").addEventListener("wheel", made.zoomWithWheel);
  $("lensimage").addEventListener("load", () => {
    largeSince = performance.now();
    made.setOptions({ maxScale: scaleOf($("lensimage")) });
  });
  $("lensimage").addEventListener("error", () => {
    const image = Number($("lens").dataset.image);
    if (data.large[image] === undefined) return;
    delete data.large[image]; // a file that does not lie beside the page
    $("lensimage").src = data.pictures[image];
    ignore(
      "the large picture, which does not lie beside this page",
      "The small one is shown. Put the folder of images beside the page.",
    );
  });
  return made;
}

/** How far one can zoom in: until pixels can be counted, and 8 times at least. */
function scaleOf(image) {
  const fitted = Math.min(
    image.clientWidth / image.naturalWidth,
    image.clientHeight / image.naturalHeight,
  );
  return Math.max(8, 8 / Math.min(1, fitted || 1));
}

/** Shows the current image, if it is another one, and what was said of it. */
function showLarge() {
  const step = current();
  const item = itemHere();
  const { image } = items[item];
  const group = step.kind === "group";
  if ($("lens").dataset.image !== String(image)) {
    $("lens").dataset.image = image;
    lens.reset({ animate: false });
    largeSince = performance.now();
    $("lensimage").src = data.large[image] ?? data.pictures[image];
    const place = group ? `Image ${focus + 1} of ${step.items.length}` : whereabouts();
    $("lensimage").alt = group ? place : `Image ${place}`;
    if (group) $("said").textContent = `Large: ${thumb(focus).getAttribute("aria-label")}`;
  }
  $("marklarge").hidden = !group;
  const marked = open(item);
  $("marklarge").setAttribute("aria-pressed", marked ? "true" : "false");
  const answer = answerOf(item);
  const said = answer ? className(answer[0]) : marked ? "taken out" : "";
  $("largetext").replaceChildren($("lensimage").alt);
  if (said) $("largetext").append(": ", make("b", "", said));
  const note = state.notes[item];
  if (note) $("largetext").append(" · Note: ", make("bdi", "", note));
  $("lens").classList.toggle("marked", Boolean(marked));
  $("lens").classList.toggle("own", Boolean(state.own[item]));
}

/** Goes to the first image of the group that was changed, unless it is the current one:
 * what is taken back must be seen. */
function showChanged(changes) {
  const { items: here } = current();
  const ofImages = changes.filter(([map]) => /^(own|marked|notes)$/.test(map));
  const places = ofImages.map(([, item]) => here.indexOf(Number(item)));
  const there = places.filter((n) => n >= 0);
  if (current().kind !== "group" || !there.length || there.includes(focus)) return;
  focus = Math.min(...there);
  refresh();
}

/** Arrow keys: to other images, with Shift over a zoomed one. */
function arrowInLarge(key, shifted) {
  const [x, y] = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1] }[key] ?? [0, -1];
  if (shifted && /^Arrow/.test(key)) {
    lens.pan(x * PAN, y * PAN, { relative: true });
    return;
  }
  const step = current();
  const end = step.items.length - 1;
  if (step.kind !== "group") {
    if (key === "ArrowLeft" || key === "ArrowRight") move(key === "ArrowLeft" ? -1 : 1);
    return;
  }
  const to = { Home: 0, End: end }[key] ?? focus - (x + y);
  if (to < 0 || to > end) {
    ignore(nameOf(key), `This is the ${to < 0 ? "first" : "last"} image of the group.`);
    return;
  }
  focus = to;
  refresh();
}

function zoom(by) {
  if (by > 0) lens.zoomIn();
  else if (by < 0) lens.zoomOut();
  else lens.reset();
}

function lit(change) {
  light = { ...light, ...change };
  const filters = [
    `brightness(${light.brightness}%)`,
    `contrast(${light.contrast}%)`,
    ...(light.inverted ? ["invert(1)"] : []),
  ];
  $("lensimage").style.filter = filters.join(" ");
  $("brightness").value = light.brightness;
  $("contrast").value = light.contrast;
  $("invert").setAttribute("aria-pressed", light.inverted ? "true" : "false");
}

function brighter(by) {
  lit({ brightness: Math.min(300, Math.max(20, light.brightness + by)) });
}

/** Keys that mean something else in the large view than elsewhere. */
const LARGE_KEYS = {
  Escape: closeLarge,
  "+": () => zoom(1),
  "=": () => zoom(1),
  "-": () => zoom(-1),
  i: () => lit({ inverted: !light.inverted }),
  ",": () => brighter(-STEP),
  ".": () => brighter(STEP),
};

function watchLarge() {
  const clicks = {
    closelarge: closeLarge,
    largeback: () => arrowInLarge("ArrowLeft"),
    largenext: () => arrowInLarge("ArrowRight"),
    zoomout: () => zoom(-1),
    zoomin: () => zoom(1),
    zoomall: () => zoom(0),
    invert: () => lit({ inverted: !light.inverted }),
    plainlight: () => lit(LIGHT),
  };
  for (const [id, click] of Object.entries(clicks)) $(id).onclick = click;
  onPress($("marklarge"), () => touch(focus));
  for (const id of ["brightness", "contrast"]) {
    $(id).oninput = () => lit({ [id]: Number($(id).value) });
    // What is typed after a slider was moved is for the image again.
    $(id).onpointerup = () => $("large").focus();
  }
}
