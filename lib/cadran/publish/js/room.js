// The presenter's side of a room: opens it, shows its code, counts who follows, and brings it back after a lost connection.

const BEAT = 5000; // milliseconds between two looks at who follows
const told = config.room;
const room = { held: told && JSON.parse(sessionStorage.getItem("cadran-room") ?? "null") };
const pageRoot = () => document.querySelector("#live > div:last-child")?.shadowRoot;
const use = () => pageRoot()?.querySelector("[data-control=use]");
const isPresenting = () => pageRoot()?.querySelector(".page")?.dataset.use === "present";

async function ask(path, body) {
  const headers = { "Content-Type": "application/json", "Marimo-Session-Id": session };
  const answer = await fetch(`${path}${path.includes("?") ? "&" : "?"}lang=${config.language}`, { method: "POST", headers, body: JSON.stringify(body) });
  return { status: answer.status, told: await answer.json().catch(() => ({})) };
}

function keep(held) {
  room.held = held;
  held ? sessionStorage.setItem("cadran-room", JSON.stringify(held)) : sessionStorage.removeItem("cadran-room");
}

/** Show the page as a presentation: nothing else is followed. */
function present() {
  const control = use();
  if (!control || isPresenting()) return;
  control.value = "present";
  control.dispatchEvent(new Event("change", { bubbles: true }));
}

async function openRoom() {
  present();
  const { status, told: answer } = await ask("/room", {});
  if (status !== 201) return complain(answer.said);
  keep({ code: answer.code, key: answer.key, way: answer });
  draw(answer, true);
}

/** Have the room follow this page: at the start, and whenever the server was gone. */
async function takeUp(here = true) {
  if (!room.held) return draw();
  const { code, key, way } = room.held;
  const { status, told: answer } = await ask(way ? "/room" : "/room?picture=1", { code, key, here });
  if (status === 404) keep(null);
  else if (status !== 200) return complain(answer.said);
  draw(answer);
}

async function endRoom() {
  const { key } = room.held;
  keep(null);
  draw();
  const { status, told: answer } = await ask("/room/end", { key });
  if (status !== 200) complain(answer.said);
}

function complain(text) {
  const line = document.querySelector("#room .wrong");
  line.textContent = text ?? config.words.lost;
  line.hidden = false;
}

function draw(answer, isNew = false) {
  const place = document.getElementById("room");
  place.hidden = !use();
  const { held } = room;
  place.querySelector(".wrong").hidden = true;
  place.querySelector(".begin").hidden = Boolean(held);
  const card = place.querySelector("details");
  card.hidden = !held;
  if (!held) return;
  const { way } = held;
  card.querySelector(".code").textContent = card.querySelector(".spelt").textContent = way.spelt;
  card.querySelector(".entry").textContent = way.entry;
  card.querySelector(".alone").textContent = way.alone;
  const picture = card.querySelector(".picture");
  if (picture.dataset.of !== held.code) {
    picture.dataset.of = held.code;
    picture.innerHTML = way.picture;
    picture.setAttribute("aria-label", way.address);
  }
  if (isNew) {
    card.open = true;
    card.querySelector("summary").focus();
  }
  card.querySelector(".paused").hidden = isPresenting();
  if (!answer) return;
  for (const count of card.querySelectorAll(".count")) count.textContent = answer.followers;
  card.querySelector(".elsewhere").hidden = answer.is_here;
}

async function beat() {
  if (room.held && !document.documentElement.hasAttribute("data-stale")) {
    const { code, key } = room.held;
    const { status, told: answer } = await ask("/room", { code, key }).catch(() => ({}));
    if (status === 404) keep(null), draw();
    else if (status === 200) answer.is_held ? draw(answer) : await takeUp();
  }
  setTimeout(beat, BEAT);
}

if (told) {
  parsed.then(() => {
    const place = document.getElementById("room");
    place.addEventListener("click", ({ target }) => {
      const acts = { open: openRoom, end: endRoom, here: () => takeUp(), show: present };
      acts[target.closest("[data-room]")?.dataset.room]?.()?.catch(() => complain());
    });
    setTimeout(beat, BEAT);
  });
  addEventListener("cadran-back", () => takeUp().catch(() => {}));
  addEventListener("cadran-run", () => draw());
}
