// A visit as parts see it: what it is now, and "change" when that is something else.

export class VisitState extends EventTarget {
  constructor(visit) {
    super();
    this.take(visit, true);
  }
  // visit: {id, name, state, arrived, seats, …}, of `welcome`, `moved`, `seats` or a card
  take(visit, quiet = false) {
    const before = JSON.stringify([this.state, this.seats, this.name]);
    Object.assign(this, { id: visit.id, name: visit.name, state: visit.state, steps: visit.steps, arrived: visit.arrived });
    this.seats = (visit.seats ?? []).map(({ id, role, kind, member, present, name, curtain, key }) => Object.freeze({ id, role, kind, member, present, name, curtain, page: key ?? "" }));
    if (!quiet && JSON.stringify([this.state, this.seats, this.name]) !== before) this.dispatchEvent(new Event("change"));
  }
}
