// The reader's side of a page that marimo's own front end shows, in a frame behind the prepared picture.

if (document.readyState === "loading") await new Promise((done) => addEventListener("DOMContentLoaded", done));
const config = JSON.parse(document.getElementById("cadran").textContent);
const picture = document.getElementById("picture");
const live = document.getElementById("live");
window.cadranShell = true;

const frame = document.createElement("iframe");
frame.title = document.title;
const query = new URLSearchParams(location.search);
for (const name of config.ours) query.delete(name);
query.set("lang", config.language);
frame.src = `${config.live}?${query}`;
live.append(frame);

const patience = setTimeout(() => say("slow"), config.patience * 1000);
document.querySelector("#line button").addEventListener("click", () => location.reload());
addEventListener("message", ({ source, origin, data }) => {
  if (source === frame.contentWindow && origin === location.origin && data?.cadran === "drawn") swap();
});
// marimo says nothing when it has drawn: its first cell with something in it does.
const looking = setInterval(() => {
  if (frame.contentDocument?.querySelector(".output-area > *, .output > *")) swap();
}, 100);

function swap() {
  clearInterval(looking);
  clearTimeout(patience);
  picture.remove();
  live.className = "";
  live.removeAttribute("inert");
  say("");
}

function say(what) {
  const line = document.getElementById("line");
  line.hidden = !what;
  line.querySelector("span").textContent = config.words[what] ?? "";
}
