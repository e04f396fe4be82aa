// The reader's side of a live page: shows a notebook's one widget without marimo's own front end.
// It speaks marimo's wire: messages come over a websocket, changes go out as POST requests.

const config = JSON.parse(document.getElementById("cadran").textContent);
const base = new URL(config.live, location.origin);
const session = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
const parsed = new Promise((done) => {
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", done);
  else done();
});
const picture = () => document.getElementById("picture");
window.cadranShell = true;
addEventListener("unhandledrejection", () => say(picture() ? "failed" : "broken"));

/** A widget's model, as the anywidget specification has it. */
class Model {
  constructor(id, state) {
    this.id = id;
    this.state = state;
    this.changed = {};
    this.heard = new Map();
  }

  get(name) {
    return this.state[name];
  }

  set(name, value) {
    this.state[name] = this.changed[name] = value;
    this.tell(`change:${name}`, value);
  }

  save_changes() {
    outbox.put(this.id, this.changed);
    this.changed = {};
  }

  send(content) {
    outbox.post(this.id, { method: "custom", content });
  }

  on(event, hear) {
    this.heard.set(event, (this.heard.get(event) ?? new Set()).add(hear));
  }

  off(event, hear) {
    hear ? this.heard.get(event)?.delete(hear) : this.heard.delete(event);
  }

  tell(event, ...what) {
    for (const hear of this.heard.get(event) ?? []) hear(...what);
  }

  update(state) {
    Object.assign(this.state, state);
    for (const [name, value] of Object.entries(state)) this.tell(`change:${name}`, value);
  }
}

/** What goes to the kernel, in order: while one request is under way, changes to a model are put together. */
const outbox = {
  waiting: new Map(),
  busy: false,
  put(id, state) {
    this.waiting.set(id, { ...this.waiting.get(id), ...state });
    if (!this.busy) this.flush();
  },
  async flush() {
    this.busy = true;
    for (const [id, state] of this.waiting) {
      this.waiting.delete(id);
      await this.post(id, { method: "update", state, bufferPaths: [] });
    }
    this.busy = false;
  },
  async post(modelId, message) {
    const headers = { "Content-Type": "application/json", "Marimo-Session-Id": session };
    const body = JSON.stringify({ modelId, message, buffers: [] });
    try {
      const answer = await fetch(new URL("api/kernel/set_model_value", base), { method: "POST", headers, body });
      if (answer.status === 409) renew();
      else if (!answer.ok) say("lost");
    } catch {
      say("lost");
    }
  },
};

const models = new Map();
let shown = null;
/** Whether the kernel has run every cell: until then the live page may lack a part that the picture has. */
let complete = false;
/** Whether no picture was prepared: then what is ready of the live page is shown before the rest. */
const isBare = () => Boolean(picture()?.querySelector(":scope > .skeleton"));
/** Whether a cell has failed in this run. */
let failed = false;

const HEAR = {
  "model-lifecycle": ({ model_id, message }) => hearModel(model_id, message),
  "cell-op": ({ output }) => hearOutput(output),
  "kernel-startup-error": () => say("failed"),
  reconnected: () => {
    say("");
    for (const model of models.values()) model.tell("reconnected");
  },
  "completed-run": endRun,
};
/** Takes what a page that is drawn listens to away again. */
let unhear = null;

function hearModel(id, { method, state, buffers = [], buffer_paths: paths = [], content, esm_spec: code }) {
  const bytes = buffers.map((text) => new DataView(Uint8Array.from(atob(text), (each) => each.charCodeAt(0)).buffer));
  paths.forEach((path, index) => put(state, path, bytes[index]));
  if (method === "open") {
    const model = new Model(id, state);
    model.code = config.code[state._anywidget_id] ?? (code && new URL(code.url, base).href);
    models.set(id, model);
  } else if (method === "update") models.get(id)?.update(state);
  else if (method === "custom") models.get(id)?.tell("msg:custom", content, bytes);
}

function put(state, path, value) {
  const last = path.at(-1);
  path.slice(0, -1).reduce((place, key) => place[key], state)[last] = value;
}

function hearOutput(output) {
  if (!output) return;
  // A cell below one that stopped by itself is told as an error too, and is none.
  const isError = output.mimetype === "application/vnd.marimo+error";
  failed ||= isError && !(Array.isArray(output.data) && output.data.every(({ type }) => type === "ancestor-stopped"));
  const named = typeof output.data === "string" && output.data.match(/<marimo-anywidget[^>]*data-model-id='&quot;(\w+)&quot;'/);
  if (named) show(models.get(named[1]));
}

function endRun() {
  const wrong = failed;
  failed = false;
  if (wrong) return say(picture() ? "failed" : "broken");
  if (!replaced) say("");
  complete = true;
  // Draws what is not yet drawn, says that it has, and so lets the live page take over.
  if (picture() || replaced) shown?.tell("change:content");
  dispatchEvent(new CustomEvent("cadran-run"));
}

/** What stood there before the server was gone, until the same is there again. */
let replaced = null;

async function show(model) {
  if (!model?.code || shown === model) return;
  // The server was gone, and knows nothing of the page: what was set on it is asked for once more.
  if (shown) model.before = shown.state.view;
  for (const id of models.keys()) if (id !== model.id) models.delete(id);
  shown = model;
  complete = false;
  const { default: widget } = await import(model.code);
  const { initialize, render } = typeof widget === "function" ? await widget() : widget;
  await initialize?.({ model });
  await parsed;
  const live = document.getElementById("live");
  const place = document.createElement("div");
  const old = model.before && !picture() ? live.firstElementChild : null;
  if (old) {
    unhear?.();
    replaced = old;
    old.inert = true;
    place.className = "coming";
    place.inert = true;
    live.replaceChildren(old, place);
  } else live.replaceChildren(place);
  new MutationObserver(() => (complete || isBare()) && swap()).observe(place, { attributes: true, attributeFilter: ["data-answered"] });
  unhear = await render({ model, el: place });
}

/** The live page has drawn its figures: it takes the place of the picture, or of what it was before the server was gone. */
function swap() {
  if (!picture() && !replaced) return;
  const [top, live] = [scrollY, document.getElementById("live")];
  picture()?.remove();
  if (replaced) {
    replaced.remove();
    replaced = null;
    live.firstElementChild.className = "";
    live.firstElementChild.inert = false;
  }
  live.className = "";
  live.removeAttribute("inert");
  scrollTo({ top });
  if (location.hash && !shown.before) live.firstElementChild?.shadowRoot?.getElementById(location.hash.slice(1))?.scrollIntoView();
  clearTimeout(patience);
  say("");
  performance.mark("cadran-live");
}

/** What no longer answers is paler. */
const STALE = ["lost", "room"];

async function say(what) {
  await parsed;
  const line = document.getElementById("line");
  line.hidden = !what;
  document.documentElement.toggleAttribute("data-stale", STALE.includes(what));
  line.querySelector("span").textContent = config.words[what] ?? "";
}

const patience = setTimeout(() => say("slow"), config.patience * 1000);
parsed.then(() => document.querySelector("#line button").addEventListener("click", () => location.reload()));

let leaving = false;
addEventListener("pagehide", () => (leaving = true));
addEventListener("pageshow", ({ persisted }) => persisted && location.reload());

/** Milliseconds until the next try, each more or less by a third: all readers come back at once. */
const AGAIN = [250, 500, 1000, 1500];
const later = (attempt) => AGAIN[Math.min(attempt, AGAIN.length - 1)] * (0.67 + 0.66 * Math.random());
/** The book was replaced: the view, which the address holds, is opened anew on the new one, and it is said. */
const RENEWED = "cadran-renewed";
function renew() {
  leaving = true;
  sessionStorage.setItem(RENEWED, "1");
  location.reload();
}
if (sessionStorage.getItem(RENEWED)) {
  sessionStorage.removeItem(RENEWED);
  parsed.then(() => {
    const note = document.getElementById("note");
    note.textContent = config.words.renewed;
    note.hidden = false;
  });
}

/** Why the server closes a page for good, by the code it gives. */
const CLOSED = { 4001: "room", 4002: "full", 4003: "many" };
let wasOpen = false;

/** Open the session, or come back to it: the kernel keeps it for a while, and the address holds the view. */
function connect(attempt = 0) {
  const address = new URL("ws", base);
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  address.search = location.search;
  for (const name of config.ours) address.searchParams.delete(name);
  address.searchParams.set("lang", config.language);
  address.searchParams.set("session_id", session);
  let socket;
  try {
    socket = new WebSocket(address);
  } catch {
    return beDeaf();
  }
  let isBack = false;
  socket.addEventListener("open", () => (wasOpen = true));
  socket.addEventListener("message", ({ data }) => {
    const { op, data: message } = JSON.parse(data);
    attempt = 0;
    HEAR[op]?.(message);
    if (isBack || op !== "completed-run") return;
    isBack = true;
    dispatchEvent(new CustomEvent("cadran-back"));
  });
  socket.addEventListener("close", async ({ code }) => {
    if (leaving) return;
    if (CLOSED[code]) return say(CLOSED[code]);
    say(picture() ? "slow" : "lost");
    const told = attempt > 1 || wasOpen ? await statusOf(new URL("ws", base)) : 0;
    if (told === 401) return location.reload(); // signed out: to the page to sign in
    if (told === 404 && !wasOpen) return beDeaf();
    setTimeout(connect, later(attempt), attempt + 1);
  });
}

/** What the server answers to a request that is no websocket; 0 if it does not. */
async function statusOf(address) {
  try {
    return (await fetch(address)).status;
  } catch {
    return 0;
  }
}

/** Requests get through and websockets do not: the prepared picture stays, and its links lead on. */
async function beDeaf() {
  await parsed;
  const query = new URLSearchParams(location.search);
  const isFirst = [...query.keys()].every((name) => ["lang", "theme"].includes(name));
  if (isBare() && !isFirst) return location.replace(`${location.pathname}?lang=${config.language}`);
  clearTimeout(patience);
  picture()?.removeAttribute("aria-busy");
  say("deaf");
}
connect();
// The widgets' code is fetched and run while the kernel computes.
for (const url of Object.values(config.code)) import(url);
