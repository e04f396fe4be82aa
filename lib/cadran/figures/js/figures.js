// Figures whose Vega views stay alive: an update swaps rows in place, a new chart replaces the view.
import { showTip } from "./tip.js";

export class Figures {
  constructor(root, onClick) {
    this.root = root;
    this.onClick = onClick;
    this.held = new Map(); // slot -> {element, view, key, rows, dimension}
    this.resized = new ResizeObserver((entries) => entries.forEach(({ target }) => this.fit(target.dataset.live)));
  }

  /** The element in which a slot's chart lives: made once, moved from one markup to the next. */
  element(slot) {
    if (!this.held.has(slot)) {
      const element = document.createElement("div");
      element.className = "picture";
      element.dataset.live = slot;
      this.held.set(slot, { element, rows: {} });
      this.resized.observe(element);
    }
    return this.held.get(slot).element;
  }

  /** Show `rows` ({data set: JSON}) with the chart `key` of `specs`. */
  async update(slot, { key, rows, dimension, alt }, specs) {
    const element = this.element(slot);
    const held = this.held.get(slot);
    element.setAttribute("role", "img");
    element.setAttribute("aria-label", alt);
    held.dimension = dimension;
    if (held.key !== key) return this.draw(held, slot, key, rows, specs);
    await held.ready;
    for (const [name, json] of Object.entries(rows)) {
      if (held.rows[name] !== json) held.view.data(name, JSON.parse(json));
    }
    held.rows = rows;
    await held.view.runAsync();
  }

  draw(held, slot, key, rows, specs) {
    held.key = key;
    held.rows = rows;
    held.ready = this.embed(held, slot, JSON.parse(specs[key]), rows);
    return held.ready;
  }

  async embed(held, slot, spec, rows) {
    for (const data of spec.data) if (data.name in rows) data.values = JSON.parse(rows[data.name]);
    const width = Math.floor(held.element.clientWidth);
    if (width > 0) spec.width = width;
    held.finalize?.();
    const inner = document.createElement("div"); // Vega labels all that it draws; ours says the finding
    inner.ariaHidden = "true";
    held.element.replaceChildren(inner);
    const shown = await window.vegaEmbed(inner, spec, {
      mode: "vega", actions: false, renderer: "svg", defaultStyle: false, tooltip: showTip(this.root), ast: false,
    });
    held.view = shown.view;
    held.finalize = () => shown.finalize();
    held.view.addEventListener("click", (event, item) => {
      const said = item?.mark?.role === "axis-label" ? item.datum.value : undefined;
      const row = said === undefined ? item?.datum : held.view.data("rows").find((each) => Object.values(each).includes(said));
      if (held.dimension && typeof row?.key === "string") this.onClick(held.dimension, row.key);
    });
  }

  fit(slot) {
    const { view, element } = this.held.get(slot);
    const width = Math.floor(element.clientWidth);
    if (view && width > 0 && width !== view.width()) view.width(width).runAsync();
  }

  /** Free the views of slots that are shown no more. */
  keepOnly(slots) {
    for (const [slot, held] of this.held) {
      if (slots.has(slot)) continue;
      held.finalize?.();
      this.resized.unobserve(held.element);
      this.held.delete(slot);
    }
  }
}
