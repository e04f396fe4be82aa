// The view: everything the reader has set. The only thing the page sends to the computing side.

const PATIENCE = 8000; // milliseconds to wait for an answer before saying so
const AGAIN = 1500; // milliseconds after which to ask for what is still being worked out

export class View {
  constructor(model, onLate) {
    this.model = model;
    this.onLate = onLate;
    this.value = structuredClone(model.get("view"));
    this.value.seq = 0;
    this.waiting = false;
    this.pending = false;
  }

  /** Change the view and send it; while an answer is under way only the newest view waits. */
  change(edit) {
    edit(this.value);
    writeAddress(this.value);
    this.waiting ? (this.pending = true) : this.send();
  }

  send() {
    this.pending = false;
    this.waiting = true;
    this.value.seq += 1;
    this.model.set("view", structuredClone(this.value));
    this.model.save_changes();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.waiting = false;
      this.onLate();
    }, PATIENCE);
  }

  /** Send the view again: what was sent while the connection was lost never came. */
  sendAgain() {
    if (this.value.seq) this.send();
  }

  /** Ask for what was set on a page whose server is gone, unless the address brought all of it back. */
  restore(before) {
    const of = ({ controls, selection, tables, behind, open }) => ({ controls, selection, tables, behind, open });
    const [was, is] = [of(before), of(this.value)];
    if (JSON.stringify(was) === JSON.stringify(is)) return;
    this.change((value) => Object.assign(value, structuredClone(was), { moving: "" }));
  }

  /** Whether an answer is to the view as it is now: a slider still held has moved on. */
  isNewest(seq) {
    return seq >= this.value.seq && !this.pending;
  }

  answered(seq) {
    if (seq < this.value.seq) return;
    clearTimeout(this.timer);
    this.waiting = false;
    if (this.pending) this.send();
  }

  /** Ask for the same view once more, in a while, for what is still being worked out. */
  askAgain() {
    clearTimeout(this.again);
    this.again = setTimeout(() => (this.waiting ? this.askAgain() : this.send()), AGAIN);
  }

  toggle(dimension, value) {
    this.change(({ selection }) => {
      const held = selection[dimension] ?? [];
      const left = held.includes(value) ? held.filter((each) => each !== value) : [...held, value];
      if (left.length) selection[dimension] = left;
      else delete selection[dimension];
    });
  }

  clear(dimension, value) {
    this.change((view) => {
      if (!dimension) view.selection = {};
      else if (value === undefined) delete view.selection[dimension];
      else {
        const left = (view.selection[dimension] ?? []).filter((each) => each !== value);
        if (left.length) view.selection[dimension] = left;
        else delete view.selection[dimension];
      }
    });
  }

  table(name, edit) {
    this.change(({ tables }) => {
      tables[name] = { ...(tables[name] ?? {}), ...edit };
    });
  }
}

/** The window whose address readers see: the shell page around us, if there is one. */
export function shownWindow() {
  return window.parent !== window && window.parent.cadranShell === true ? window.parent : window;
}

/** The address that brings this view back. */
export function addressOf(view, changes = {}) {
  const target = shownWindow();
  const url = new URL(target.location.href);
  const kept = ["lang", "theme"].map((name) => [name, url.searchParams.get(name)]).filter(([, value]) => value);
  const query = new URLSearchParams(kept);
  for (const [name, value] of Object.entries(view.controls)) {
    if (value !== null && value !== view.defaults?.[name]) query.set(name, value);
  }
  for (const [dimension, values] of Object.entries(view.selection)) {
    for (const value of values) query.append(`in.${dimension}`, value);
  }
  for (const [table, { sort, page, search }] of Object.entries(view.tables)) {
    if (sort) query.set(`${table}.sort`, sort);
    if (page > 1) query.set(`${table}.page`, page);
    if (search) query.set(`${table}.search`, search);
  }
  if (view.open) query.set("open", view.open);
  for (const [name, value] of Object.entries(changes)) value ? query.set(name, value) : query.delete(name);
  url.search = query.toString();
  return url;
}

export function writeAddress(view, changes = {}) {
  const target = shownWindow();
  target.history.replaceState(target.history.state, "", addressOf(view, changes));
}
