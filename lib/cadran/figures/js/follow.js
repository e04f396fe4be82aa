// A page that is only looked at: it draws what somebody else's page presents, and hears nobody.
import { Figures } from "./figures.js";
import { syncControls } from "./listen.js";
import { fill, keepInSight, topOf } from "./page.js";

export class Followed {
  constructor(el) {
    this.root = el.shadowRoot ?? el.attachShadow({ mode: "open" });
    this.parts = {};
    this.drawn = {};
  }

  /** Take news: parts by name that changed, and the names of all there are. Later calls wait for earlier ones. */
  show({ names, parts }) {
    this.parts = Object.fromEntries(names.filter((name) => name in parts || name in this.parts).map((name) => [name, parts[name] ?? this.parts[name]]));
    this.turn = (this.turn ?? Promise.resolve()).then(() => this.draw());
    return this.turn;
  }

  async draw() {
    const { frame, controls, ...rest } = this.parts;
    if (!frame) return this.clear();
    if (this.drawn.frame !== frame.html) this.begin(frame);
    const specs = Object.fromEntries(Object.entries(rest).filter(([name]) => name.startsWith("spec.")).map(([name, spec]) => [name.slice(5), spec]));
    const drawings = [];
    const middle = this.inSight();
    const stood = topOf(middle);
    for (const place of this.root.querySelectorAll("[data-slot]")) {
      const { slot } = place.dataset;
      const content = rest[`place.${slot}`] ?? { html: "" };
      if (this.drawn[slot] === content) continue;
      this.drawn[slot] = content;
      fill(this.root, slot, { html: still(content.html) }, this.figures);
      for (const figure of content.figures ?? []) drawings.push(this.figures.update(slot, figure, specs));
    }
    syncControls(this.root, { controls });
    keepInSight(middle, stood);
    await Promise.all(drawings);
    this.figures.keepOnly(new Set([...this.root.querySelectorAll("[data-live]")].map((each) => each.dataset.live)));
  }

  begin({ html }) {
    this.clear();
    this.root.innerHTML = html;
    this.figures = new Figures(this.root, () => {});
    this.drawn = { frame: html };
  }

  clear() {
    this.figures?.keepOnly(new Set());
    this.root.replaceChildren();
    this.drawn = {};
  }

  /** What the eye is on: the place in the middle of the screen, which stays where it is. */
  inSight() {
    return [...this.root.querySelectorAll("[data-slot]")].find((place) => place.getBoundingClientRect().bottom > innerHeight / 3);
  }
}

/** Markup with nothing in it that leads anywhere: what can be pressed goes, or becomes the text that it says. */
function still(html) {
  const { content } = Object.assign(document.createElement("template"), { innerHTML: html });
  for (const each of content.querySelectorAll("details.menu, dialog, [data-naming], .scenes > button, .levers button")) each.remove();
  for (const button of content.querySelectorAll("button")) {
    const said = button.textContent.trim();
    if (button.dataset.act === "export" || button.dataset.act === "keep" || said === "×") button.remove();
    else button.replaceWith(Object.assign(document.createElement("span"), { className: `told ${button.className}`, textContent: said }));
  }
  for (const each of content.querySelectorAll("input, select")) {
    each.tabIndex = -1;
    each.setAttribute("aria-disabled", "true");
  }
  for (const link of content.querySelectorAll("a[href]")) link.removeAttribute("href");
  const whole = document.createElement("div");
  whole.append(content);
  return whole.innerHTML;
}

export function follow(el) {
  return new Followed(el);
}
