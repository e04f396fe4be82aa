// The page: one shadow root whose markup Python writes; this keeps the charts alive and hears the reader.
import { Figures } from "./figures.js";
import { View, shownWindow } from "./view.js";
import { listen, syncControls } from "./listen.js";
import { settle } from "./chrome.js";

export function render({ model, el }) {
  const root = el.shadowRoot ?? el.attachShadow({ mode: "open" });
  root.innerHTML = model.get("frame");
  settle(el, root);
  const view = new View(model, () => tell(root, root.querySelector(".page").dataset.late));
  if (model.before) view.restore(model.before);
  const figures = new Figures(root, (dimension, value) =>
    dimension === "opportunity_id" ? view.change((changed) => (changed.open = value)) : view.toggle(dimension, value));
  const shown = {};
  let opened = view.value.open;
  let drawing = false;
  let newer = false;

  const draw = async () => {
    await null; // all traits of one message are set before any is read
    const { slots, seq, view: clamped, said, stale = [], is_coming: isComing } = model.get("content");
    if (!slots) return;
    const specs = model.get("specs");
    const drawings = [];
    const filled = new Set();
    const focused = root.activeElement;
    const stood = topOf(focused);
    for (const [slot, json] of Object.entries(slots)) {
      if (shown[slot] === json) continue;
      shown[slot] = json;
      const content = JSON.parse(json);
      fill(root, slot, content, figures);
      filled.add(slot);
      for (const figure of content.figures ?? []) drawings.push(figures.update(figure.slot, figure, specs));
    }
    keepInSight(focused, stood);
    for (const place of root.querySelectorAll("[data-slot]")) {
      place.toggleAttribute("data-stale", stale.includes(place.dataset.slot));
    }
    if (view.isNewest(seq)) {
      syncControls(root, clamped);
      root.querySelector(".page").removeAttribute("data-turning");
    }
    view.answered(seq);
    if (isComing) view.askAgain();
    await Promise.all(drawings);
    if (seq === 0) goTo(root, shownWindow().location.hash.slice(1));
    if (opened !== view.value.open && filled.has("detail")) {
      turnTo(root, view.value.open, opened);
      opened = view.value.open;
    }
    tell(root, said);
    if (seq > 0) say(root, heard(root));
    el.dataset.answered = seq;
    if (shownWindow() !== window) window.parent.postMessage({ cadran: "drawn", seq }, location.origin);
  };
  const redraw = async () => {
    newer = true;
    if (drawing) return;
    drawing = true;
    while (newer) {
      newer = false;
      await draw();
    }
    drawing = false;
  };

  const sendAgain = () => view.sendAgain();
  model.on("change:content", redraw);
  model.on("reconnected", sendAgain);
  const unlisten = listen(root, view, model);
  redraw();
  return () => {
    model.off("change:content", redraw);
    model.off("reconnected", sendAgain);
    figures.keepOnly(new Set());
    unlisten();
  };
}

/** Put a slot's markup in place; live charts are moved into it, focus and scroll are kept. */
export function fill(root, slot, { html }, figures) {
  const place = root.querySelector(`[data-slot="${slot}"]`);
  if (!place || place.markup === html) return;
  const focused = root.activeElement?.dataset?.key;
  const open = new Set([...place.querySelectorAll("details[open][data-key]")].map((each) => each.dataset.key));
  const fresh = document.createElement("template");
  fresh.innerHTML = html;
  for (const stand of fresh.content.querySelectorAll("[data-live]")) {
    stand.replaceWith(figures.element(stand.dataset.live));
  }
  for (const each of fresh.content.querySelectorAll("details[data-key]")) each.open = open.has(each.dataset.key);
  place.replaceChildren(fresh.content);
  place.markup = html;
  place.removeAttribute("aria-busy");
  if (focused) place.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}

/** Bring a row that was opened under the eye and the keyboard, at once; and these back to its link once it is closed. */
function turnTo(root, opened, before) {
  const target = root.querySelector(opened ? "[data-slot=detail] h2" : `[data-key="open-${CSS.escape(before)}"]`);
  if (!target) return;
  if (opened) target.tabIndex = -1;
  target.focus({ preventScroll: true });
  target.scrollIntoView({ block: opened ? "start" : "nearest" });
}

export function topOf(element) {
  return element?.getBoundingClientRect().top;
}

/** Let what has the focus stay where it stood, if in sight: by itself the browser may hold on to something further up. */
export function keepInSight(focused, stood) {
  const moved = focused?.isConnected && stood >= 0 && stood < innerHeight ? topOf(focused) - stood : 0;
  if (moved) scrollBy(0, moved);
}

/** Show the part of the page that the address names. */
function goTo(root, name) {
  if (name) root.getElementById(name)?.scrollIntoView();
}

/** Show what the page has to say about what was asked of it. */
function tell(root, text) {
  const place = root.querySelector(".said");
  place.hidden = !text;
  if (place.textContent !== text) place.textContent = text ?? "";
}

/** What changed, for those who listen: the selection and the headline numbers. */
function heard(root) {
  const numbers = [...root.querySelectorAll(".headline")].map((each) =>
    ["label", "strong"].map((part) => each.querySelector(part === "label" ? ".label" : part).textContent).join(" "));
  return [root.querySelector(".chips .what:last-of-type")?.textContent, ...numbers.slice(0, 3)].filter(Boolean).join(", ");
}

/** Tell readers who listen to the page what changed. */
export function say(root, text) {
  root.querySelector("[aria-live]").textContent = text;
}
