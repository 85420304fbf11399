// Who waits, as the server's deltas say. Pure state: no document, no socket.

const GRACE = 40_000; // ms that a card outlives a restart of the server, until its patient's page is back

export class Queue {
  // gap(room): a delta was missed, a snapshot is needed; changed(): something to show
  constructor({ gap, changed, arrived, now = () => Date.now() }) {
    Object.assign(this, { gap, changed, arrived, now, rooms: new Map() });
  }
  // The rooms that we may still see.
  keep(rooms) {
    for (const room of this.rooms.keys()) if (!rooms.includes(room)) this.rooms.delete(room);
    this.changed();
  }
  drop(id) {
    for (const { cards } of this.rooms.values()) cards.delete(id);
  }
  // Cards that nobody has come back for.
  prune() {
    for (const { cards } of this.rooms.values()) {
      for (const [id, { orphan }] of cards) if (orphan !== undefined && this.now() - orphan > GRACE) cards.delete(id);
    }
  }
  snapshot({ id, epoch, rev, cards }) {
    const before = this.rooms.get(id), known = before?.cards, fresh = new Map(cards.map(card => [card.id, card]));
    this.rooms.set(id, { epoch, rev, cards: fresh });
    if (before && before.epoch !== epoch) for (const [card, row] of known) { // a new server, which not everybody has reached yet
      if (!fresh.has(card)) fresh.set(card, { ...row, orphan: row.orphan ?? this.now(), lost: row.lost ?? this.now() });
    }
    for (const card of cards) if (!known?.has(card.id) && card.state === "waiting") this.arrived(card, !known);
    this.changed();
  }
  delta({ room, epoch, rev, put, drop }) {
    const state = this.rooms.get(room);
    if (!state || state.epoch !== epoch || rev > state.rev + 1) return this.gap(room);
    if (rev <= state.rev) return;
    state.rev = rev;
    if (put) {
      const fresh = !state.cards.has(put.id) && put.state === "waiting";
      state.cards.set(put.id, put);
      if (fresh) this.arrived(put, false);
    } else state.cards.delete(drop);
    this.changed();
  }
  // A card, with its room; or null.
  find(id) {
    for (const [room, { cards }] of this.rooms) if (cards.has(id)) return { ...cards.get(id), room };
    return null;
  }
  // All cards of all rooms, first come first, each with its room.
  cards() {
    const all = [...this.rooms].flatMap(([room, { cards }]) => [...cards.values()].map(card => ({ ...card, room })));
    return all.sort((a, b) => a.arrived - b.arrived || (a.id < b.id ? -1 : 1));
  }
}
