// What the reader does: controls, clicks on values, tables, exports, keys. One listener per kind of event.
import { addressOf, shownWindow, writeAddress } from "./view.js";

export function listen(root, view, model) {
  const stop = new AbortController();
  const on = (type, hear) => root.addEventListener(type, hear, { signal: stop.signal });
  on("input", ({ target }) => hearInput(target, root, view));
  on("change", ({ target }) => target.matches("[data-control]") && setControl(target, root, view, false));
  on("click", (event) => hearClick(event, root, view, model));
  document.addEventListener("keydown", (event) => hearKey(event, root, view), { signal: stop.signal });
  model.on("msg:custom", hearFile);
  return () => {
    stop.abort();
    model.off("msg:custom", hearFile);
  };
}

function hearInput(target, root, view) {
  if (target.matches("input[type=range][data-control]")) setControl(target, root, view, true);
  if (target.matches("input[data-search]")) {
    view.table(target.dataset.search, { search: target.value, page: 1 });
  }
}

function setControl(target, root, view, moving) {
  const { control, steps } = target.dataset;
  const value = steps ? JSON.parse(steps)[target.valueAsNumber] : target.value;
  if (!value) return;
  const question = root.querySelector(`dialog[data-of="${control}"]`);
  const set = () => {
    view.change((changed) => {
      changed.controls[control] = value;
      changed.moving = moving ? control : "";
    });
    // What the page showed before is not for those who look on now.
    if (question) root.querySelector(".page").toggleAttribute("data-turning", true);
    syncControls(root, view.value, target);
  };
  if (question && value !== question.dataset.held && asksFirst(root, view, set)) return syncControls(root, view.value);
  set();
}

/** Whether the reader is asked before they leave what others look on at; `leave` is done once they say yes. */
function asksFirst(root, view, leave) {
  const isHeld = ({ dataset }) => view.value.controls[dataset.of] === dataset.held;
  const question = [...root.querySelectorAll("dialog[data-held]")].find(isHeld);
  if (!question) return false;
  question.leave = leave;
  question.showModal();
  return true;
}

/** Show in every control what the view holds. */
export function syncControls(root, { controls }, except) {
  root.querySelector(".page").dataset.use = controls.use ?? "";
  for (const input of root.querySelectorAll("[data-control]")) {
    const value = controls[input.dataset.control];
    if (input === except || value === undefined) continue;
    if (input.dataset.steps) input.value = placeOf(value, JSON.parse(input.dataset.steps));
    else if (input !== root.activeElement || input.tagName === "SELECT") input.value = value;
  }
  const written = new Intl.DateTimeFormat(lang(root), { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
  for (const output of root.querySelectorAll("output[data-day]")) {
    const told = written.format(new Date(controls[output.dataset.day]));
    output.textContent = told;
    const slider = root.querySelector(`input[type=range][data-control="${output.dataset.day}"]`);
    slider?.setAttribute("aria-valuetext", told);
  }
  for (const output of root.querySelectorAll("output[data-text]")) {
    output.textContent = JSON.parse(output.dataset.texts)[controls[output.dataset.text]];
    output.previousElementSibling.setAttribute("aria-valuetext", output.textContent);
  }
  for (const part of root.querySelectorAll("[data-when]")) {
    const [name, value] = part.dataset.when.split("=");
    part.hidden = controls[name] !== value;
  }
}

/** Where a value stands among a slider's steps; a day between two month ends stands at the earlier one. */
function placeOf(value, steps) {
  const place = steps.indexOf(value);
  return place >= 0 ? place : Math.max(0, steps.findLastIndex((step) => step <= value));
}

function lang(root) {
  return root.querySelector(".page").lang === "fr" ? "fr-FR" : "en-GB";
}

const CLICKS = {
  toggle: ({ toggle, value }, view) => view.toggle(toggle, value),
  clear: ({ clear, value }, view) => view.clear(clear || undefined, value),
  sort: ({ sort, by }, view) => view.table(sort, { sort: by, page: 1 }),
  page: ({ page, number }, view) => view.table(page, { page: Number(number) }),
  open: ({ open }, view) => view.change((value) => (value.open = open)),
  close: (_, view) => view.change((value) => (value.open = null)),
  behind: ({ behind }, view) =>
    view.change((value) => {
      const held = value.behind ?? [];
      value.behind = held.includes(behind) ? held.filter((each) => each !== behind) : [...held, behind];
    }),
  put: ({ put }, view, root) => {
    view.change(({ controls }) => Object.assign(controls, JSON.parse(put)));
    syncControls(root, view.value);
  },
  keep: ({ keep, rest, name }, view, root) => {
    const naming = root.querySelector("[data-naming]");
    const chosen = naming?.value.replaceAll("|", " ").trim() || name;
    view.change(({ controls }) => {
      const levers = Object.entries(JSON.parse(rest)).filter(([lever, still]) => controls[lever] !== still);
      controls[keep] = [chosen, ...levers.map(([lever]) => `${lever}=${controls[lever]}`)].join("|");
    });
    if (naming) naming.value = "";
  },
  language: ({ language }, view) => (shownWindow().location.href = addressOf(view.value, { lang: language })),
};

function hearClick(event, root, view, model) {
  const button = event.target.closest("button, a[data-act]");
  const act = button?.dataset.act;
  const link = event.target.closest("a[href]:not([href^='#'], [data-act])");
  if (link) keepTheme(root, link);
  if (link && asksFirst(root, view, () => (shownWindow().location.href = link.href))) return event.preventDefault();
  if (!act) return;
  event.preventDefault();
  if (act === "theme") return turnTheme(root, view);
  if (act === "help") return root.querySelector("dialog.help").showModal();
  if (act === "goto") return root.getElementById(button.dataset.goto)?.scrollIntoView();
  if (act === "dismiss" || act === "leave") {
    const dialog = button.closest("dialog");
    dialog.close();
    return act === "leave" && dialog.leave();
  }
  button.closest("details.menu")?.removeAttribute("open");
  if (act === "export") return model.send({ export: button.dataset.export, format: button.dataset.format, theme: themeOf(root) });
  CLICKS[act]?.(button.dataset, view, root);
}

function themeOf(root) {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  return root.host.dataset.theme || dark;
}

/** What was chosen here holds on the next page of ours. */
function keepTheme(root, link) {
  const to = new URL(link.href);
  if (!root.host.dataset.theme || to.host !== location.host) return;
  to.searchParams.set("theme", root.host.dataset.theme);
  link.href = to;
}

function turnTheme(root, view) {
  const next = themeOf(root) === "dark" ? "light" : "dark";
  root.host.dataset.theme = next;
  document.documentElement.dataset.cadranTheme = next;
  writeAddress(view.value, { theme: next });
}

/** Shortcuts: letters press the control that names them; Esc clears the selection. */
function hearKey(event, root, view) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (root.querySelector("dialog[open]")) return;
  const writing = root.activeElement?.matches("input:not([type=range]), select, textarea");
  if (event.key === "Escape") {
    const menus = root.querySelectorAll("details.menu[open]");
    if (menus.length) return menus.forEach((menu) => menu.removeAttribute("open"));
    if (view.value.open) return CLICKS.close({}, view);
    if (Object.keys(view.value.selection).length) view.clear();
    return;
  }
  if (writing) return;
  const target = root.querySelector(`[data-shortcut="${CSS.escape(event.key)}"]`);
  if (!target) return;
  event.preventDefault();
  target.tagName === "BUTTON" ? target.click() : target.focus();
}

function hearFile({ file, kind }, buffers) {
  if (!file) return;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(buffers, { type: kind }));
  link.download = file;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
