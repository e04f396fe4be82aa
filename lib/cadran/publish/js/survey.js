// Makes the respondents' page comfortable: what was entered is kept on the device, sending is tried again.
// Nothing here is needed to answer.
(() => {
  "use strict";
  const PREFIX = "cadran-survey:";
  const $ = (selector) => document.querySelector(selector);
  const form = () => $("form");
  const told = (name, n) => JSON.parse(form().dataset.words)[name].replace("{n}", n);

  /** What this device keeps: it may refuse to keep anything. */
  const kept = (act) => {
    try {
      return [act(localStorage)];
    } catch {
      return null;
    }
  };
  /** A name for this link made of 32 bits of it (FNV-1a), which do not lead back to it. */
  const key = () =>
    PREFIX + [...location.pathname].reduce((hash, sign) => Math.imul(hash ^ sign.codePointAt(0), 16777619), 2166136261);
  const save = () =>
    kept((store) => store.setItem(key(), JSON.stringify({ until: $("main").dataset.until, entered: [...new FormData(form())] })));
  const forget = () => kept((store) => store.removeItem(key()));

  /** Drafts of surveys long closed are of no use to anybody. */
  const tidy = () =>
    kept((store) => {
      for (const name of Object.keys(store).filter((each) => each.startsWith(PREFIX))) {
        const until = Number(JSON.parse(store.getItem(name)).until);
        if (until && until < Date.now()) store.removeItem(name);
      }
    });

  const restore = () =>
    kept((store) => {
      for (const [name, value] of JSON.parse(store.getItem(key()))?.entered ?? []) {
        const field = form().elements[name];
        if (field) field.value = value;
      }
    });

  const questions = () => [...document.querySelectorAll("fieldset, .question")];
  const isAnswered = (each) => each.querySelector(":checked") || each.querySelector("textarea")?.value.trim();

  const show = () => {
    if (!form()) return;
    const all = questions();
    const left = all.filter((each) => !isAnswered(each)).length;
    $("progress").value = all.length - left;
    $("#left").textContent = left ? told("left", left) : told("all");
    for (const area of document.querySelectorAll("textarea")) {
      const room = area.dataset.most - [...area.value.trim()].length;
      const count = document.getElementById(area.id.replace("a", "c"));
      count.textContent = told(room < 0 ? "over" : "characters", Math.abs(room));
      count.classList.toggle("over", room < 0);
      count.ariaLive = room < 100 ? "polite" : null;
    }
  };

  const begin = () => {
    const main = $("main");
    if ("done" in main.dataset) forget();
    if (!form()) return;
    if ("fresh" in form().dataset) restore();
    else save();
    $("progress").hidden = false;
    $("#kept").hidden = !kept((store) => store.setItem(PREFIX, "{}") || store.removeItem(PREFIX));
    show();
  };

  /** What the server answered, in place of the form; false if it is no page of ours: a hotspot's, say. */
  const turn = (text) => {
    const page = new DOMParser().parseFromString(text, "text/html");
    const main = page.querySelector("main[data-cadran]");
    if (!main) return false;
    $("main").replaceWith(main);
    document.title = page.title;
    begin();
    scrollTo(0, 0);
    $("#wrong, h1").focus();
    return true;
  };

  const lock = () => {
    for (const each of form().querySelectorAll("fieldset, textarea, button")) each.disabled = true;
  };

  let hurry = () => {};
  const pause = (seconds) =>
    new Promise((done) => {
      hurry = done;
      setTimeout(done, seconds * 1000);
    });

  const say = (text, act) => {
    const state = $("#state");
    state.textContent = text;
    if (!act) return;
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "quiet", textContent: act, onclick: () => hurry() });
    state.append(button);
  };

  /** Sends once; seconds to wait before the next time, or 0 when the server has answered. */
  const attempt = async (address, body, isAgain) => {
    const stop = new AbortController();
    const late = setTimeout(() => stop.abort(), 20000);
    try {
      const answer = await fetch(address, {
        method: "POST",
        body,
        headers: { "Content-Type": "application/x-www-form-urlencoded", ...(isAgain && { "X-Again": "1" }) },
        credentials: "omit",
        referrerPolicy: "same-origin",
        signal: stop.signal,
      });
      const isLater = answer.status === 429 || answer.status >= 500;
      if (!isLater && turn(await answer.text())) return 0;
      return Number(answer.headers.get("Retry-After")) || 2;
    } catch {
      return 2;
    } finally {
      clearTimeout(late);
    }
  };

  const send = async () => {
    const body = new URLSearchParams(new FormData(form())).toString();
    const address = form().action;
    lock();
    say(told("sending"));
    for (let tries = 0, wait; (wait = await attempt(address, body, tries > 0)); tries++) {
      const seconds = Math.min(30, Math.max(wait, 2 ** tries));
      say(told("later", Math.ceil(seconds)), told("now"));
      await pause(seconds);
      say(told("sending"));
    }
  };

  addEventListener("online", () => hurry());
  addEventListener("input", () => (save(), show()));
  addEventListener("reset", () => setTimeout(() => (forget(), show())));
  addEventListener("submit", (event) => {
    const by = event.submitter;
    if (by?.name === "lang") {
      // Enter in a field presses the first button, which asks for the language that is there already.
      const isOther = by.value !== document.documentElement.lang;
      if (isOther && !save()) return;
      event.preventDefault();
      if (isOther) location.search = `?lang=${by.value}`;
      return;
    }
    event.preventDefault();
    const over = $(".over")?.closest(".question").querySelector("textarea");
    if (over) {
      say(told("long"));
      over.focus();
    } else send();
  });
  tidy();
  begin();
})();
