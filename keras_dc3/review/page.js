// Who is at work, and the start.
//
// The scripts draw the page themselves, without a library of components: presses and the
// guard against slips rest on elements that stay the same while answers change, and what
// is drawn anew is a card, never a part of one.

function begin(annotator) {
  const found = load(annotator);
  state = (share ? share.goOn(found) : found) || fresh(annotator);
  kept = stored(annotator)?.changes ?? null;
  state.openings = [...(state.openings ?? []), [random(), state.changes]];
  [past, future] = [[], []];
  goTo.shown = undefined;
  lookedAt.clear();
  regroup();
  closeOverview();
  hideLarge();
  goTo(state.cursor);
}

/** Goes on in this tab with what another one, or another computer, has saved. */
async function takeOver() {
  const { annotator } = state;
  const loss = "Answers given here could not be kept. Go on without them?";
  if (unkept && !share?.hasAll() && !confirm(loss)) return;
  await share?.connect();
  stale = false;
  unkept = null;
  begin(annotator);
}

function leave() {
  tick();
  save();
  if (unkept) unsaved.set(state.annotator, state);
  stale = false;
  closeOverview();
  hideLarge();
  state = null;
  goTo.shown = undefined;
  [past, future] = [[], []];
  render();
  showAlarm();
}

function start() {
  classButtons();
  watch();
  watchPresses();
  probe();
  const acts = { undo, redo, accept, back: () => move(-1), next: () => move(1) };
  for (const [id, does] of Object.entries(acts)) onPress($(id), does);
  onPress($("main"), pressImages);
  onPress($("openmore"), openMore);
  onRest($("main"), restOnImage);
  watchLarge();
  menu($("download"), $("downloads"));
  const clicks = {
    json: () => download("json"),
    csv: () => download("csv"),
    who: leave,
    overall: toggleOverview,
    help: () => $("keyhelp").showModal(),
    closewhy: () => $("why").close(),
    closehelp: () => $("keyhelp").close(),
    closemore: () => $("more").close(),
  };
  for (const [id, click] of Object.entries(clicks)) $(id).onclick = click;
  document.addEventListener("keydown", onKey);
  addEventListener("resize", fit);
  $("find").addEventListener("input", onFind);
  $("find").addEventListener("keydown", onFindKey);
  for (const [key, what] of HELP) {
    $("helptext").append(make("p", "", undefined, make("b", "", key), make("span", "", what)));
  }
  $("helptask").append(...instructions(), ...classList());
  share?.connect();
  render();
  showAlarm();
}

start();
