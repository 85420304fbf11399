// Who waits, as the server's deltas say. Pure state: no document, no socket.

export class Queue {
  // gap(room): a delta was missed, a snapshot is needed; changed(): something to show
  constructor({ gap, changed, arrived }) {
    Object.assign(this, { gap, changed, arrived, rooms: new Map() });
  }
  snapshot({ id, epoch, rev, cards }) {
    const known = this.rooms.get(id)?.cards;
    this.rooms.set(id, { epoch, rev, cards: new Map(cards.map(card => [card.id, card])) });
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
  find(id) {
    for (const { cards } of this.rooms.values()) if (cards.has(id)) return cards.get(id);
    return null;
  }
  // All cards of all rooms, first come first, each with its room.
  cards() {
    const all = [...this.rooms].flatMap(([room, { cards }]) => [...cards.values()].map(card => ({ ...card, room })));
    return all.sort((a, b) => a.arrived - b.arrived || (a.id < b.id ? -1 : 1));
  }
}
