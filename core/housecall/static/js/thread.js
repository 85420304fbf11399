// What was said with one event in one visit, in the same order on every page: by a hybrid logical clock (Kulkarni 2014), then by id.

export class Thread extends EventTarget {
  // keep: entries at most, the oldest go first; copy(entry): its line of text. Fires "add" {entry, at} and "change" {entry}.
  constructor({ keep = 1000, copy = entry => JSON.stringify(entry.data) } = {}) {
    super();
    Object.assign(this, { keep, copy, entries: [], ids: new Set() });
  }
  // Whether it is new. The author's own word replaces what another told of it.
  add(entry) {
    if (this.ids.has(entry.id)) {
      const known = !entry.told && this.entries.find(each => each.told && each.id === entry.id && each.who === entry.who);
      if (known) {
        const { t, data, mine, told, who, role, name } = entry;
        this.dispatchEvent(new CustomEvent("change", { detail: { entry: Object.assign(known, { t, data, mine, told, who, role, name }) } }));
      }
      return false;
    }
    let at = this.entries.length;
    while (at && later(this.entries[at - 1], entry)) at -= 1;
    this.entries.splice(at, 0, entry);
    this.ids.add(entry.id);
    this.dispatchEvent(new CustomEvent("add", { detail: { entry, at } }));
    while (this.entries.length > this.keep) this.ids.delete(this.entries.shift().id);
    return true;
  }
  mark(id, state) {
    const entry = this.entries.findLast(each => each.id === id);
    if (!entry || entry.state === state || entry.state === "delivered") return;
    entry.state = state;
    this.dispatchEvent(new CustomEvent("change", { detail: { entry } }));
  }
  get text() { return this.entries.map(entry => this.copy(entry)).join("\n"); }
}

const later = (a, b) => a.at > b.at || (a.at === b.at && a.id > b.id);
