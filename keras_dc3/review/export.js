// The files that can be downloaded.

const COLUMNS = [
  "image", "annotator", "label", "proposed", "group", "accepted", "repetition",
  "seconds", "started", "ended", "mode", "fingerprint", "page", "session", "saved", "rows",
  "changes", "openings", "kind", "split", "note",
];

/** One object per answer, or note without one, in the order of the page. */
function rows() {
  const found = [];
  items.forEach((item, i) => {
    const answer = answerOf(i);
    const note = state.notes[i] ?? null;
    if (!answer && note === null) return;
    const [label, ended] = answer ?? [null, null];
    const step = data.steps[item.step];
    const place = shownIn(item.step);
    const group = step.kind === "group";
    const alone = state.seconds[`i${i}`] || 0;
    let shared = (state.seconds[place] || 0) / sizeOf(place);
    // What was spent on a group before it was joined to another.
    if (place !== item.step) shared += (state.seconds[item.step] || 0) / step.drawn.length;
    found.push({
      image: data.images[item.image],
      label: answer ? nameOfClass(label) : null,
      proposed: group ? data.classes[step.label] : null,
      group: step.name,
      accepted: group && label === step.label,
      repetition: item.again,
      seconds: Math.round((shared + alone) * 1000) / 1000,
      started: state.begun[place] || ended,
      ended,
      kind: answer ? kindOf(label) : "note",
      split: Array.isArray(label) ? sharesOf(label) : null,
      note,
    });
  });
  return found;
}

/** The class of an answer, of a split one that with the larger share; null for none. */
function nameOfClass(label) {
  if (Array.isArray(label)) return className(label[0]);
  return label in WITHOUT_CLASS ? null : className(label);
}

function sharesOf([first, second, percent]) {
  const shares = [[first, percent], [second, 100 - percent]];
  return Object.fromEntries(shares.map(([label, part]) => [className(label), part / 100]));
}

function asJson() {
  const found = rows();
  const file = {
    format: "keras_dc3 review",
    version: 2,
    title: data.title,
    mode: data.mode,
    fingerprint: data.fingerprint,
    page: data.page,
    page_number: data.page_number,
    pages: data.pages,
    seed: data.seed,
    annotator: state.annotator,
    session: state.session,
    started: state.started,
    saved: state.saved,
    changes: state.changes,
    openings: state.openings,
    finished: answered() === items.length,
    classes: data.classes,
    images: data.images,
    rows: found.length,
    annotations: found,
  };
  return JSON.stringify(file, null, 1);
}

function asCsv() {
  const found = rows();
  const common = {
    annotator: state.annotator,
    mode: data.mode,
    fingerprint: data.fingerprint,
    page: data.page,
    session: state.session,
    saved: state.saved,
    rows: found.length,
    changes: state.changes,
    openings: state.openings.map((pair) => pair.join(":")).join(" "),
  };
  const cell = (value) => {
    const text = value === null ? "" : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = found.map((row) => {
    const whole = { ...row, ...common };
    if (row.split) whole.split = JSON.stringify(row.split);
    // A note that a spreadsheet would take for a formula.
    if (/^'*[=+@\t\r-]/.test(row.note ?? "")) whole.note = `'${row.note}`;
    return COLUMNS.map((name) => cell(whole[name])).join(",");
  });
  return `${[COLUMNS.join(","), ...lines].join("\r\n")}\r\n`;
}

function download(kind) {
  tick();
  save();
  const text = kind === "json" ? asJson() : asCsv();
  const type = kind === "json" ? "application/json" : "text/csv";
  offer(text, type, `${data.name}-${fileName(state.annotator)}.${kind}`);
}

function fileName(annotator) {
  return annotator.replace(/[^\p{L}\p{N}_-]+/gu, "_").slice(0, 60);
}

function offer(text, type, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}
