// What is on the board: what the pages have said, read with care, and folded to what is to be seen. Knows no document.

export const STEPS = 4095;      // a coordinate is a whole number from 0 to this, across the sheet or down
export const POINTS = 1000;     // of one mark
export const TOOLS = ["pen", "arrow", "rectangle", "ellipse"];
export const COLOURS = ["black", "red", "blue", "green", "orange", "purple"];
export const WIDTHS = ["thin", "middle", "thick"];
export const BLANK = { id: "", kind: "blank", picture: "", w: 4, h: 3 };
const LATE = 10_000;            // ms after a "no", or our beginning, in which what was drawn before may still come
const MOST = 600_000;           // points that are kept of all, of which a mark costs MARK beside its own: 4000 marks of 50
const MARK = 100;
const RULES = 200;

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// Points as text: two digits of 6 bits for each coordinate.
export const written = points => points.flat().map(n => DIGITS[n >> 6] + DIGITS[n & 63]).join("");

// The points of a text, or null.
export function pointsOf(text) {
  if (typeof text !== "string" || !text || text.length % 4 || text.length > 4 * POINTS) return null;
  const points = [];
  for (let i = 0; i < text.length; i += 4) {
    const digits = [0, 1, 2, 3].map(n => DIGITS.indexOf(text[i + n]));
    if (digits.includes(-1)) return null;
    points.push([digits[0] * 64 + digits[1], digits[2] * 64 + digits[3]]);
  }
  return points;
}

const short = text => typeof text === "string" && text.length <= 40;
const side = n => Number.isInteger(n) && n >= 1 && n <= 4096;
const named = (list, name) => list.includes(name) ? name : null;

// Words as they are shown: one line, and nothing that turns round what stands beside it.
export const plain = text => text.replace(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, " ").trim().slice(0, 120);

// How one draws: of a mark, or of one that is being drawn. Null for what is neither.
export function strokeOf({ tool, colour, width, points, sheet = "" }) {
  const read = pointsOf(points);
  if (!read || !TOOLS.includes(tool) || !COLOURS.includes(colour) || !WIDTHS.includes(width) || !short(sheet)) return null;
  return { tool, colour, width, sheet, points: read };
}

const READ = {
  draw: data => strokeOf(data),
  text: ({ colour, width, points, text, sheet = "" }) => {
    const at = pointsOf(points);
    if (at?.length !== 1 || typeof text !== "string" || !plain(text) || !named(COLOURS, colour) || !named(WIDTHS, width) || !short(sheet)) return null;
    return { tool: "text", colour, width, sheet, points: at, text: plain(text) };
  },
  erase: ({ target }) => short(target) ? { target } : null,
  undo: ({ target }) => short(target) ? { target } : null,
  redo: ({ target }) => short(target) ? { target } : null,
  clear: ({ sheet = "" }) => short(sheet) ? { sheet } : null,
  ground: ({ kind, picture = "", w, h }) => {
    if (kind === "blank") return { ...BLANK, id: undefined };
    if (!["picture", "still", "pdf"].includes(kind) || !/^[\w-]{43}$/.test(picture) || !side(w) || !side(h) || Math.max(w / h, h / w) > 4) return null;
    return { kind, picture, w, h };
  },
};

// What one entry of the thread says, or null. Of `data` only what is expected is kept.
export function read({ id, at, who, role, name = "", mine = false, told = false, data }) {
  const said = Object.hasOwn(READ, data?.op) ? READ[data.op](data) : null;
  if (!said || (said.kind === "still" && role !== "provider")) return null;
  return { ...said, op: data.op, stroke: short(data.stroke) ? data.stroke : "", id, at, who, role, name, mine, told };
}

const earlier = (a, b) => a.at < b.at || (a.at === b.at && a.id < b.id);
const before = (a, b) => earlier(a, b) ? -1 : 1;

export class Marks {
  // me: our seat or member id; may: {patient, guests}, as the practice has it at the beginning
  // seat(who): {role, present} of who sits in the visit; tick(): a clock in ms
  constructor({ me, may, seat = () => null, tick = () => performance.now() }) {
    Object.assign(this, { me, first: { ...may, at: -1, id: "" }, seat, tick, all: new Map(), rules: new Map(), held: new Map(), weight: 0, changed: tick() });
  }

  // An entry of the thread. vouched: the provider's page has told us that it is there.
  add(entry, vouched = false) {
    const mark = read(entry), known = this.all.get(mark?.id);
    // The author's own word, and the provider's, replaces what was told of it.
    if (!mark || (known && !(known.told && (vouched || (!mark.told && known.who === mark.who))))) return null;
    if (!vouched && !this.believes(mark)) return null;
    // Whoever draws although they know that they may not could say that they drew long ago.
    if (!vouched && mark.who !== this.me && !this.may(mark.role) && this.tick() - this.changed > LATE) return null;
    this.keep({ ...mark, vouched });
    return mark;
  }
  // Beyond what is kept, whoever has most here loses their oldest: nobody pushes out what others drew.
  keep(mark) {
    this.drop(mark.id);
    const by = holder(mark), held = this.held.get(by) ?? { weight: 0, ids: new Set() };
    this.held.set(by, held);
    this.all.set(mark.id, mark);
    held.ids.add(mark.id);
    held.weight += weight(mark);
    this.weight += weight(mark);
    while (this.weight > MOST) {
      const { ids } = [...this.held.values()].reduce((a, b) => b.weight > a.weight ? b : a);
      let [oldest] = ids;
      for (const id of ids) if (this.all.get(id).op !== "ground") { // a sheet goes last, as all that is on it goes with it
        oldest = id;
        break;
      }
      this.drop(oldest);
    }
  }
  drop(id) {
    const mark = this.all.get(id);
    if (!mark) return;
    const held = this.held.get(holder(mark));
    this.all.delete(id);
    held.ids.delete(id);
    held.weight -= weight(mark);
    this.weight -= weight(mark);
  }
  rule({ id, at, who, role, mine = false, told = false, data }) {
    const was = this.now, known = this.rules.get(id);
    if ((known && (told || !known.told)) || !this.believes({ who, role, mine, told })) return;
    this.rules.set(id, { id, at, patient: data.patient === true, guests: data.guests === true, told });
    if (this.rules.size > RULES) this.rules.delete(this.rules.keys().next().value);
    if (JSON.stringify(this.now) !== JSON.stringify(was)) this.changed = this.tick();
  }
  // What others tell of somebody: nothing of who is here to say it, of us only before we have spoken, of no unknown provider.
  believes({ who, role, mine, told }) {
    if (!told) return true;
    if (who === this.me) return mine;
    const seat = this.seat(who);
    return seat ? !seat.present && seat.role === role : role !== "provider";
  }
  // The rules in their order. One that is told only takes away: the page that tells it could give itself a right. What it
  // gave counts when the provider gives it again, so that what was drawn under it comes back.
  get order() {
    const rules = [...this.rules.values()].sort(before);
    let last = this.first;
    const gives = (rule, role) => rule[role] && (last[role] || rules.some(each => !each.told && each[role] && earlier(rule, each)));
    return [last, ...rules.map(rule => last = rule.told ? { ...rule, patient: gives(rule, "patient"), guests: gives(rule, "guests") } : rule)];
  }
  get now() {
    const { patient, guests } = this.order.at(-1);
    return { patient, guests };
  }
  // Whether a role may draw now.
  may(role) { return grants(this.now, role); }
  mine({ mine, who, told }) { return mine || (!told && who === this.me); }

  // What is to be seen: {ground, marks, undo, redo, grounds}; undo, redo: what we could take back, or bring back; grounds: all there were.
  see() {
    const rules = this.order;
    const granted = mark => mark.vouched || grants(rules.findLast(rule => earlier(rule, mark)), mark.role);
    const said = [...this.all.values()].filter(granted).sort(before), known = new Map(), undone = new Set(), done = [], back = [];
    for (const mark of said) {
      const target = known.get(mark.target);
      if (mark.op === "undo" || mark.op === "redo") {
        if (target?.who !== mark.who) continue;
        undone[mark.op === "undo" ? "add" : "delete"](target.id);
        if (this.mine(mark)) step(target.id, ...mark.op === "undo" ? [done, back] : [back, done]);
        continue;
      }
      if (mark.op === "erase" && !(target && rubs(mark, target))) continue;
      known.set(mark.id, mark);
      if (this.mine(mark)) {
        done.push(mark.id);
        back.length = 0;
      }
    }
    const stands = [...known.values()].filter(mark => !undone.has(mark.id));
    const ground = stands.findLast(({ op }) => op === "ground") ?? BLANK;
    let marks = [];
    for (const mark of stands) {
      if (mark.op === "erase") marks = marks.filter(({ id }) => id !== mark.target);
      else if (mark.sheet !== ground.id || mark.op === "ground") continue;
      else if (mark.op === "clear") marks = marks.filter(each => !rubs(mark, each));
      else marks.push(mark);
    }
    return { ground, marks, undo: done.at(-1) ?? "", redo: back.at(-1) ?? "", grounds: [...known.values()].filter(({ op }) => op === "ground") };
  }
}

const weight = ({ points = [] }) => MARK + points.length;
// Who answers for a mark that is kept; of what is told in others' names, all of them together.
const holder = ({ who, told, mine, vouched }) => told && !mine && !vouched ? "" : who;
const grants = (rule, role) => role === "provider" || (role === "patient" ? rule.patient : role === "guest" ? rule.guests : false);
// A provider takes away everybody's marks, others their own.
const rubs = (by, mark) => by.role === "provider" || by.who === mark.who;

function step(id, from, to) {
  const at = from.lastIndexOf(id);
  if (at < 0) return;
  from.splice(at, 1);
  to.push(id);
}
