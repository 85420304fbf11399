// A screen that is shown: asked for, warned of, chosen, stopped by either side. Loaded when somebody begins.

const RATES = { detail: 15, motion: 30 };              // pictures a second, by what is shown
const style = Object.assign(document.createElement("link"), { rel: "stylesheet", href: new URL("screenshare.css", import.meta.url).href });
document.head.append(style);
await new Promise(done => { style.onload = style.onerror = done; });

const make = (name, more, ...inside) => {
  const element = Object.assign(document.createElement(name), more);
  element.append(...inside);
  return element;
};

const says = words => make("p", { textContent: words });

export class Sharing {
  // hosts: of our parts in call.more and call.stage; able: whether this browser can show a screen at all
  constructor({ "call.more": more, "call.stage": host }, able) {
    Object.assign(this, { host, able, track: null, handle: null, pending: false, motion: false, page: "", dialog: null, drawn: "" });
    this.line = host.root.querySelector(".screenshare");
    this.button = more.root.querySelector("button");
    this.word = this.button.lastElementChild.textContent;
    host.visit.on("change", () => this.again());
  }
  text(...given) { return this.host.text(...given); }
  get patient() { return this.host.visit.seats.find(({ role }) => role === "patient"); }
  name(seat) {
    const { role, name } = this.host.visit.seats.find(({ id }) => id === seat) ?? {};
    return role === "patient" ? this.host.visit.name || this.text("Patient") : name || this.text("Provider");
  }
  // Whether the patient's browser has said that it cannot.
  get hopeless() { return this.host.channel.history("unable", { keep: 1 }).entries.some(({ mine }) => !mine); }

  // -- the button

  async press() {
    if (this.track) return this.finish(this.text("Your screen is not shown any more."));
    const { me } = this.host, asks = me.role === "provider" && this.patient, name = asks && this.name(this.patient.id);
    const body = make("div", { className: "screenshare-sheet" }), kind = this.kinds(), mayAsk = asks && !this.hopeless;
    if (this.able || mayAsk) body.append(this.warning(), kind);
    if (!this.able) body.append(says(this.text("This browser cannot show a screen. Phones and tablets mostly cannot, a computer can.")));
    if (asks && !mayAsk) body.append(says(this.cannot(name)));
    const buttons = [{ value: "", label: this.text("Cancel") }];
    if (mayAsk) buttons.push({ value: "ask", label: this.text("Ask to see {name}'s", { name }), kind: this.able ? "quiet" : "primary" });
    if (this.able) buttons.push({ value: "share", label: this.text("Choose what to show"), kind: "primary" });
    const answer = await this.host.ui.dialog({ title: this.text("Show a screen"), body, buttons });
    const motion = kind.querySelector("input:checked").value === "motion";
    if (answer === "share") await this.share(motion);
    if (answer === "ask") this.question(motion);
  }
  warning() { return says(this.text("Close or hide first what is private: other people's records, mail, messages. What pops up on a shown screen is seen, too; a single window or tab shows least.")); }
  cannot(name) { return this.text("{name}'s browser cannot show a screen. Phones and tablets mostly cannot, a computer can.", { name }); }
  kinds() {
    const radio = (value, words) => make("label", {}, make("input", { type: "radio", name: "screenshare-kind", value, checked: value === "detail" }), words);
    return make("fieldset", {}, make("legend", { textContent: this.text("What is shown is") }), radio("detail", this.text("Text that must be sharp")), radio("motion", this.text("Motion that must be smooth")));
  }

  // -- asking

  async question(motion) {
    this.motion = motion;
    this.page = this.patientPage;
    try {
      await this.host.channel.send("ask", { motion });
      this.pending = true;
      this.host.ui.say(this.text("You asked {name} to show a screen.", { name: this.name(this.patient?.id) }));
    } catch {
      this.host.ui.notice(this.text("This did not reach the other side. Try again in a moment."));
    }
    this.draw();
  }
  // The patient's page, while it is there; another after it was loaded anew.
  get patientPage() { return this.patient?.present ? this.patient.page : ""; }
  // A reload has lost the question that the page before had; what that had not got yet goes to the next by itself.
  again() {
    const { pending, page, patientPage: now } = this;
    if (!pending || !now || now === page) return;
    this.page = now;
    if (page) this.host.channel.send("ask", { motion: this.motion }).catch(() => {
      this.pending = false;
      this.host.ui.notice(this.text("This did not reach the other side. Try again in a moment."));
      this.draw();
    });
  }
  // To the patient's page. The browser's own list of screens comes after a yes.
  async ask({ data, from }) {
    if (!this.able) return this.answer("unable");
    if (this.track || this.dialog) return;
    const { host } = this, over = this.dialog = new AbortController(), name = this.name(from);
    const body = make("div", { className: "screenshare-sheet" }, says(this.text("You choose what is shown: a tab, a window or a whole screen. You can stop at any time.")), this.warning());
    const closed = host.ui.dialog({ title: this.text("{name} asks to see your screen", { name }), body, buttons: [
      { value: "", label: this.text("Not now") }, { value: "share", label: this.text("Choose what to show"), kind: "primary" },
    ] });
    const dialog = body.closest("dialog");
    over.signal.addEventListener("abort", () => dialog?.close("gone"));
    const answer = await closed;
    this.dialog = null;
    if (answer === "share") {
      if (!await this.share(data.motion)) this.answer("failed");
    } else if (answer !== "gone") this.answer("no");
  }
  unask() { this.dialog?.abort(); }
  answer(why) { this.host.channel.send("declined", { why }).catch(() => {}); }
  declined({ data }) {
    this.pending = false;
    const name = this.name(this.patient?.id);
    this.host.ui.notice(
      data.why === "no" ? this.text("{name} does not want to show a screen now.", { name }) :
      data.why === "unable" ? this.cannot(name) :
      data.why === "unloaded" ? this.text("{name}'s page could not load what it needs. Try again in a moment.", { name }) :
      this.text("{name} agreed, but chose nothing or their browser showed nothing.", { name }));
    this.draw();
  }

  // -- showing

  async share(motion) {
    const { host } = this, kind = motion ? "motion" : "detail";
    let track = null;
    try {
      const stream = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { max: RATES[kind] } }, audio: false, selfBrowserSurface: "exclude", surfaceSwitching: "include" });
      [track] = stream.getVideoTracks();
      track.contentHint = kind;
      this.handle = host.call.add("screen", track);
    } catch ({ name, code }) {
      track?.stop();
      if (code !== "closed") host.ui.notice(
        code === "full" ? this.text("Something else is shown in its place already. Stop that first.") :
        name === "NotAllowedError" ? this.text("Nothing is shown. If you did not cancel it yourself, allow this browser to record the screen in your device's settings.") :
        this.text("This could not be shown. Try another window, or the whole screen."));
      return false;
    }
    this.track = track;
    track.addEventListener("ended", () => this.track === track && this.finish(this.text("Your screen is not shown any more."))); // by the browser's own bar
    host.ui.say(this.text("Your screen is shown now."));
    this.draw();
    return true;
  }
  // From the other side's page.
  stop({ from }) { if (this.track) this.finish(this.text("{name} has stopped the showing of your screen.", { name: this.name(from) })); }
  finish(words) {
    this.track.stop();
    this.handle.remove();
    this.track = this.handle = null;
    this.host.ui.notice(words);
    this.draw();
  }

  // -- the line above the bar: what is shown, and how it is stopped

  draw() {
    if (this.host.signal.aborted) return;                // an answer that came after the visit
    const { host, track } = this, far = host.visit.seats.filter(({ id }) => host.call.shows(id)?.screen);
    if (far.some(({ role }) => role === "patient")) this.pending = false;
    const rows = far.map(({ id }) => ({ words: this.text("{name} shows you a screen.", { name: this.name(id) }), does: [[this.text("Stop it"), () => this.halt(id)]] }));
    if (track) rows.unshift({ words: this.text("You show your screen."), does: [
      [track.contentHint === "motion" ? this.text("Sharper text") : this.text("Smoother motion"), () => this.turn()],
      [this.text("Stop"), () => this.finish(this.text("Your screen is not shown any more."))],
    ] });
    if (this.pending) rows.push({ words: this.text("{name} is asked to show a screen.", { name: this.name(this.patient?.id) }), does: [[this.text("Take back"), () => this.takeBack()]] });
    this.button.lastElementChild.textContent = track ? this.text("Stop showing") : this.word;
    this.button.classList.toggle("screenshare-on", Boolean(track));
    const drawn = JSON.stringify(rows);
    if (drawn === this.drawn) return;                    // what has the focus keeps it
    const focused = this.line.contains(document.activeElement);
    this.drawn = drawn;
    this.line.replaceChildren(...rows.map(({ words, does }) => make("p", {}, make("span", { textContent: words }), ...does.map(([label, press]) =>
      make("button", { type: "button", className: "button quiet", textContent: label, onclick: press })))));
    this.line.hidden = !rows.length;
    if (focused) (this.line.querySelector("button") ?? this.button).focus();
  }
  // Nothing of it stands in the next visit of this page.
  clear() {
    this.button.lastElementChild.textContent = this.word;
    this.button.classList.remove("screenshare-on");
    this.line.replaceChildren();
    this.line.hidden = true;
  }
  turn() {
    const motion = this.track.contentHint !== "motion";
    this.track.contentHint = motion ? "motion" : "detail";
    this.track.applyConstraints({ frameRate: { max: RATES[this.track.contentHint] } }).catch(() => {});
    this.host.ui.say(motion ? this.text("Motion is smooth now.") : this.text("Text is sharp now."));
    this.draw();
  }
  halt(seat) { this.host.channel.send("stop", {}, { to: seat }).catch(() => this.host.ui.notice(this.text("This did not reach the other side. Try again in a moment."))); }
  async takeBack() {
    this.pending = false;
    this.draw();
    await this.host.channel.send("unask").catch(() => {});
  }
}
