// A follower's page: asks what is shown, shows it, and asks again whenever the line is lost. It sends nothing else.

const config = JSON.parse(document.getElementById("cadran").textContent);
const parsed = new Promise((done) => {
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", done);
  else done();
});
const AGAIN = [500, 1000, 2000, 3000]; // milliseconds, each more or less by a third: a whole room comes back at once
const SILENCE = 40_000; // milliseconds after which a line that tells nothing is no line
const SAID = { 404: "unknown", 429: "wait", 503: "full" };
let followed = null;
let attempt = 0;
let stopping = null;
let over = false;

async function say(what, text = config.words[what]) {
  await parsed;
  const line = document.getElementById("said");
  line.hidden = !what;
  line.textContent = text ?? "";
}

async function show(text) {
  const bytes = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
  const told = await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).json();
  await parsed;
  const place = document.getElementById("shown");
  if (!followed) {
    const { default: widget } = await import(config.code);
    followed = widget.follow(place);
  }
  const { frame } = told.parts;
  if (frame) {
    document.title = frame.title;
    place.lang = frame.language;
  }
  place.toggleAttribute("data-still", told.is_away);
  say(told.is_away ? "away" : told.names.length ? "" : "paused");
  await followed.show(told);
  place.dataset.shown = Number(place.dataset.shown ?? 0) + 1;
}

/** One event of the line: the room's news, or that it is over. */
async function hear(event) {
  const told = Object.fromEntries(event.split("\n").filter(Boolean).map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()]));
  if (told.event === "over") return end("over");
  if (told.data) return show(told.data);
}

/** A fault of ours: the next news is drawn from nothing. */
function fail(error) {
  followed = null;
  reportError(error);
}

function end(why) {
  over = true;
  stopping?.abort();
  followed?.show({ names: [], parts: {} });
  say(why);
}

async function read(answer, restart) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!over) {
    const { done, value } = await reader.read();
    if (done) return;
    restart();
    text += value;
    const events = text.split("\n\n");
    text = events.pop();
    for (const event of events) await hear(event).catch(fail);
  }
}

async function join() {
  stopping = new AbortController();
  let silence = 0;
  const restart = () => {
    clearTimeout(silence);
    silence = setTimeout(() => stopping.abort(), SILENCE);
  };
  restart();
  let wait = 0;
  try {
    const answer = await fetch(`${location.pathname}/stream${location.search}`, { signal: stopping.signal, cache: "no-store" });
    if (answer.ok) {
      attempt = 0;
      await read(answer, restart);
    } else if (answer.status === 404) {
      return end(followed ? "over" : "unknown");
    } else {
      wait = 1000 * Number(answer.headers.get("Retry-After") ?? 0);
      say(SAID[answer.status] ?? "lost", answer.status === 429 ? await answer.text() : undefined);
    }
  } catch {
    if (!over) say("lost");
  }
  clearTimeout(silence);
  if (over) return;
  if (!wait) await still();
  const later = wait || AGAIN[Math.min(attempt++, AGAIN.length - 1)] * (0.67 + 0.66 * Math.random());
  setTimeout(join, later);
}

/** What is shown no longer moves. */
async function still() {
  await parsed;
  document.getElementById("shown").toggleAttribute("data-still", true);
  say("lost");
}

// A phone that slept has lost the line without being told.
addEventListener("visibilitychange", () => document.visibilityState === "visible" && !over && stopping?.abort());
addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
join();
import(config.code);
