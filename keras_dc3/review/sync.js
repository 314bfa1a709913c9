// Sending answers to the server that gave this page. What it has acknowledged is on its
// disk; the browser keeps all of it, too, and what it could not send is sent again.

const AGAIN = [1000, 2000, 5000]; // milliseconds until a failed attempt is repeated
const PATIENCE = 20000; // milliseconds that an answer of the server may take
const IN_PASSING = 60000; // characters that browsers send while a page is closed, at most

const parcels = new Map(); // key -> states that are to be sent beside the current one
let person = null; // who answers here, as the server knows
let remote = null; // the state with which it goes on
let due = null; // the state to be sent, as it will be then
let sending = false;
let attempts = 0; // that have failed in a row
let trouble = ""; // why the last one did
let refused = ""; // why the server does not take what was sent
let timer = 0;

share = {
  connect,
  send() {
    due = state;
    deliver();
  },
  goOn,
  setAside,
  hasAll: () => !due && !parcels.size && !refused,
  person: () => person,
  whereKept,
  alarmOfServer,
};

const asideOf = (name) => `${PREFIX}aside/${name}/`;

/** Whether a state came from another one, as the server tells it, too. */
function follows(one, other) {
  const [mine, theirs] = [one.openings ?? [], other.openings ?? []];
  const next = mine[theirs.length];
  return (
    one.session === other.session &&
    theirs.every(([name, number], i) => mine[i]?.[0] === name && mine[i][1] === number) &&
    other.changes <= (next ? next[1] : one.changes)
  );
}

/** Asks who answers here and how far this person is; again, until the server tells. */
async function connect() {
  const first = !person;
  try {
    const found = await ask({ cache: "no-store" });
    person = found.annotator;
    remote = found.state && usable(found.state, person);
    answeredAgain();
  } catch (error) {
    failed(error);
    if (first) setTimeout(connect, AGAIN[1]);
  }
  if (first && person) {
    collect();
    addEventListener("online", deliver);
    addEventListener("pagehide", inPassing);
  }
  if (first && !state) render();
  showAlarm();
}

/** Takes up what this browser has kept and the server does not have. */
function collect() {
  try {
    const keys = Object.keys(localStorage).filter((key) => key.startsWith(asideOf(person)));
    for (const key of keys) parcels.set(key, localStorage.getItem(key));
  } catch {
    // Then there is nothing.
  }
  const found = stored(person);
  if (found && !(remote && follows(remote, found))) setAside(found);
  deliver();
}

/** The state with which a person goes on: the browser's, or the server's where that did
 * not come from it; then the browser's is sent, too, and kept beside it. */
function goOn(found) {
  if (due && due !== found) setAside(due);
  due = null;
  if (!remote || (found && follows(found, remote))) return found;
  if (found && !follows(remote, found)) setAside(found);
  unkept = writeKey(`${PREFIX}of/${person}`, JSON.stringify(remote));
  return remote;
}

function setAside(one) {
  const key = asideOf(person) + random();
  parcels.set(key, bodyOf(one));
  writeKey(key, parcels.get(key));
  deliver();
}

/** What is sent of a state: it, and the file that would be downloaded of it. */
function bodyOf(one) {
  const current = state;
  state = one;
  try {
    return `{"state":${JSON.stringify(one)},"file":${asJson()}}`;
  } finally {
    state = current;
  }
}

/** Sends all there is, one after the other; again later, where it fails. */
async function deliver() {
  if (sending || !person) return;
  sending = true;
  clearTimeout(timer);
  try {
    while (parcels.size || due) {
      const [key, text] = parcels.entries().next().value ?? [];
      await (key ? deliverParcel(key, text) : deliverState());
      answeredAgain();
      showAlarm();
    }
  } catch (error) {
    failed(error);
    timer = setTimeout(deliver, AGAIN[Math.min(attempts, AGAIN.length) - 1]);
  }
  sending = false;
  showAlarm();
}

async function deliverParcel(key, text) {
  await deliverBody(text);
  parcels.delete(key);
  try {
    localStorage.removeItem(key);
  } catch {
    // It is not there, either.
  }
}

async function deliverState() {
  const one = due;
  due = null;
  let found = null;
  try {
    found = await deliverBody(bodyOf(one));
  } catch (error) {
    due ??= one;
    throw error;
  }
  if (found.latest === false && one === state) stale = true;
}

/** Sends a body. What the server refuses is not sent again, but told. */
async function deliverBody(body) {
  const headers = { "Content-Type": "application/json" };
  const found = await ask({ method: "PUT", body, headers });
  refused = found.refused ?? "";
  return found;
}

async function ask(options) {
  const response = await fetch("state", { ...options, signal: AbortSignal.timeout(PATIENCE) });
  const found = await response.json();
  if (response.ok) return found;
  if (options.method && response.status < 500) return { refused: found.error };
  throw new Error(found.error, { cause: "told" });
}

/** Sends the last state while the page is closed, without waiting for an answer. */
function inPassing() {
  const one = due ?? (sending && state);
  if (!one) return;
  const body = bodyOf(one);
  if (body.length > IN_PASSING) return; // the next opening sends it
  const headers = { "Content-Type": "application/json" };
  fetch("state", { method: "PUT", body, headers, keepalive: true }).catch(() => {});
}

function answeredAgain() {
  attempts = 0;
  trouble = "";
}

function failed(error) {
  attempts += 1;
  trouble = error.cause === "told" ? error.message : "The server cannot be reached.";
}

/** Where the answers are, in a few words. */
function whereKept() {
  if (stale && share.hasAll()) return "kept beside";
  if (trouble || refused) return unkept ? "not saved" : "saved in this browser only";
  if (due || parcels.size || sending) return "sending …";
  return "saved on the server";
}

/** What is wrong, in sentences; "" for nothing. */
function alarmOfServer() {
  const kept = unkept
    ? `This browser cannot keep your answers: ${unkept}. Leave this page open`
    : "Your answers are kept in this browser";
  if (refused) return `Not saved on the server: ${refused} ${kept}; download them as JSON.`;
  if (trouble && person) {
    return `Not saved on the server: ${trouble} ${kept}; they are sent again by themselves.`;
  }
  return trouble && `${trouble} This page tries again by itself.`;
}
