// The patient's side: what is asked for, the camera, a look at the photo, and its way. Nothing goes before "Send".

import { button, make, style } from "./make.js";
import { named } from "./named.js";
import { BEST, chosen, still } from "./still.js";

const COUNT = 5;                    // seconds for whoever photographs their own back
const PICTURES = "image/jpeg,image/png,image/webp";

// asked: visit -> its request, which stays there until it is answered, also when the call begins meanwhile.
export async function take(host, asked) {
  const { visit } = host, ask = asked.get(visit.id);
  if (!ask || (ask.taking && !ask.taking.host.signal.aborted)) return;
  const taking = ask.taking = new Taking(host, ask);
  ask.from = visit.seats.find(({ id }) => id === ask.from)?.member ?? ask.from; // who asks, in whatever seat
  // The call is with somebody else: no photo would ever get to who has asked.
  const left = () => {
    const there = ["in_call", "paused"].includes(visit.state) ? visit.seats.filter(({ role }) => role === "provider") : [];
    if (!taking.why && there.length && !there.some(({ id, member }) => [id, member].includes(ask.from))) taking.end("withdrawn");
  };
  visit.on("change", left);
  left();
  await style();
  const why = await taking.shown();
  if (host.signal.aborted && !["sent", "withdrawn"].includes(why)) return; // this part goes, and another one asks again
  if (asked.get(host.visit.id) === ask) asked.delete(host.visit.id);
  if (why === "sent") host.ui.notice(host.text("Your photo has arrived."));
  else if (why === "withdrawn") host.ui.notice(host.text("Your provider does not need the photo any more."));
  else if (why !== "replaced") taking.answer("refused");
}

class Taking {
  constructor(host, ask) {
    Object.assign(this, { host, ask, why: "", told: "", loan: null, track: null, sending: null, facing: "environment", counting: 0, url: "" });
    this.body = make("div", { className: "photo-take" });
    this.file = make("input", { type: "file", accept: PICTURES, hidden: true, onchange: () => this.file.files[0] && this.chosen(this.file.files[0]) });
  }
  get text() { return this.host.text; }

  // Answers how it ended.
  async shown() {
    const { host, text } = this;
    if (this.ask.still) this.look(this.ask.still);
    else this.request();
    if (!host.signal.aborted && !this.why) {
      this.answer("sees");
      host.ui.say(text("Your provider asks for a photo"));
      await host.ui.dialog({ title: text("Your provider asks for a photo"), body: this.body, buttons: [] });
    }
    this.close();
    return this.why;
  }
  end(why) {
    this.why = why;
    this.body.closest("dialog")?.close("");
  }
  close() {
    this.sending?.abort();
    clearTimeout(this.counting);
    this.rest();
    URL.revokeObjectURL(this.url);
  }
  // The camera is the call's again.
  rest() {
    this.loan?.back();
    this.loan = this.track = null;
  }
  answer(state) {
    if (this.told === state) return;
    this.told = state;
    this.host.channel.send("answer", { id: this.ask.id, state }, { to: this.ask.from }).catch(() => {});
  }

  // One step of it: its nodes, and where the keyboard goes.
  step(nodes, first) {
    clearTimeout(this.counting);
    this.body.replaceChildren(...nodes.filter(Boolean), this.file);
    if (this.body.isConnected) first?.focus();
    else first?.setAttribute("autofocus", "");
  }
  row(...buttons) { return make("div", { className: "row photo-row" }, ...buttons.filter(Boolean)); }
  refuse() { return button(this.text("Not now"), "quiet", () => this.end("refused")); }
  pick(label, kind = "quiet") {
    if (!this.ask.choose) return null;
    return button(label, kind, () => {
      this.file.value = "";                              // the same one may be chosen again
      this.file.click();
    });
  }
  wanted() { return make("p", { className: "photo-what" }, this.text("A photo of: {what}", { what: named(this.host, this.ask) })); }

  // -- what is asked for

  request() {
    const { text, ask } = this;
    const words = ask.words ? make("blockquote", { className: "photo-words" }, ask.words) : null;
    const open = button(text("Open the camera"), "primary", () => this.camera());
    this.step([
      this.wanted(), words,
      make("p", { className: "soft" }, text("You take it yourself and look at it before anything is sent. Only your provider gets it, and nothing of it is stored.")),
      this.row(this.refuse(), this.pick(text("Choose a picture")), open),
    ], open);
  }

  // -- the camera

  async camera() {
    const { host, text } = this;
    const video = make("video", { muted: true, playsInline: true, autoplay: true });
    const count = make("p", { className: "photo-count", hidden: true }), more = make("div", { className: "row photo-more" });
    const shoot = button(text("Take the photo"), "primary", () => this.shoot(video));
    const later = button(text("In 5 seconds"), "quiet", () => this.count(video, count, later));
    video.setAttribute("aria-label", text("What the camera sees"));
    const frame = make("div", { className: "photo-frame" }, video, count);
    shoot.disabled = later.disabled = true;
    this.step([
      this.wanted(), frame, more,
      make("p", { className: "soft" }, host.call?.local?.camera ? text("Your provider does not see this. The picture of the call pauses until the photo is taken.") : text("Your provider does not see this.")),
      this.row(this.refuse(), later, shoot),
    ], shoot);
    this.answer("camera");
    try {
      this.loan ??= await host.camera();
    } catch {                                            // without a server there is nothing to load it from
      if (this.body.isConnected) this.broken(text("This could not be loaded. Try again in a moment."));
      return;
    }
    if (this.why || host.signal.aborted || !this.body.isConnected) return this.rest();
    if (!await this.open(video, { facingMode: this.facing })) return;
    shoot.disabled = later.disabled = false;
    shoot.focus();
    await this.lenses(video, more);
  }
  // Whether the camera gives a picture now.
  async open(video, which) {
    const { track, problem } = await this.loan.open({ ...BEST, ...which });
    if (!this.loan || !video.isConnected) return false;
    if (problem) {
      this.broken(problem);
      return false;
    }
    this.track = track;
    this.facing = track.getSettings().facingMode ?? this.facing;
    video.parentElement.dataset.facing = track.getSettings().facingMode ?? "";
    video.srcObject = new MediaStream([track]);
    await video.play().catch(() => {});
    while (!video.videoWidth && video.isConnected) await new Promise(resolve => video.addEventListener("resize", resolve, { once: true }));
    return video.isConnected;
  }
  // Another camera, light and zoom, where there are.
  async lenses(video, more) {
    const { text } = this, all = await navigator.mediaDevices.enumerateDevices();
    const cameras = all.filter(({ kind, deviceId }) => kind === "videoinput" && deviceId), able = this.track?.getCapabilities?.() ?? {};
    const parts = [];
    if (cameras.length > 1) parts.push(button(text("Other camera"), "quiet", () => this.other(video, more, cameras)));
    if ([able.torch].flat().includes(true)) {
      const light = button(text("Light"), "quiet toggle", () => {
        const on = light.getAttribute("aria-pressed") !== "true";
        light.setAttribute("aria-pressed", String(on));
        this.set({ torch: on });
      });
      light.setAttribute("aria-pressed", "false");
      parts.push(light);
    }
    if (able.zoom?.max > able.zoom?.min) {
      const { min, max, step } = able.zoom, value = this.track.getSettings().zoom ?? min;
      const range = make("input", { type: "range", min, max, step: step || (max - min) / 20, oninput: () => this.set({ zoom: Number(range.value) }) });
      range.value = value;
      parts.push(make("label", { className: "photo-zoom" }, make("span", {}, text("Zoom")), range));
    }
    more.replaceChildren(...parts);
  }
  set(how) { this.track?.applyConstraints({ advanced: [how] }).catch(() => {}); }
  async other(video, more, cameras) {
    const { facingMode, deviceId } = this.track.getSettings(), next = cameras[(cameras.findIndex(each => each.deviceId === deviceId) + 1) % cameras.length];
    const which = facingMode ? { facingMode: { exact: facingMode === "environment" ? "user" : "environment" } } : { deviceId: { exact: next.deviceId } };
    if (!await this.open(video, which)) return;
    await this.lenses(video, more);
    more.querySelector("button")?.focus();
    this.host.ui.say(this.text("Another camera is on."));
  }
  broken(problem) {
    const { text } = this, again = button(text("Try again"), "primary", () => this.camera());
    this.rest();
    this.answer("none");
    const words = make("p", {}, problem);
    words.setAttribute("role", "alert");
    this.step([this.wanted(), words, this.row(this.refuse(), this.pick(text("Choose a picture")), again)], again);
  }

  // -- the photo

  count(video, place, face) {
    const { text } = this;
    const stop = () => {
      clearTimeout(this.counting);
      place.hidden = true;
      Object.assign(face, { textContent: text("In 5 seconds"), onclick: () => this.count(video, place, face) });
    };
    const tick = left => {
      if (!left) {
        stop();
        return void this.shoot(video);
      }
      place.textContent = left;
      this.counting = setTimeout(tick, 1000, left - 1);
    };
    Object.assign(face, { textContent: text("Stop"), onclick: stop });
    place.hidden = false;
    this.host.ui.say(text("The photo is taken in 5 seconds."));
    tick(COUNT);
  }
  async shoot(video) {
    const { text, body } = this;
    for (const each of body.querySelectorAll("button, input[type=range]")) each.disabled = true;
    this.host.ui.say(text("Hold still …"));
    try {
      const blob = await still(this.track, video);
      if (body.contains(video)) this.look(blob);
    } catch (error) {
      console.warn(`photo: ${error}`);
      if (body.contains(video)) this.broken(text("The camera gave no photo. Press “Try again”."));
    }
  }
  async chosen(file) {
    const { text } = this;
    this.rest();
    this.step([this.wanted(), make("p", { className: "soft" }, text("The picture is being read …"))]);
    const blob = await chosen(file).catch(() => null);   // it is gone, or may not be read
    if (!this.body.isConnected) return;
    if (blob) return this.look(blob, true);
    const words = make("p", {}, text("This file cannot be sent as a photo. Choose a JPEG, PNG or WebP picture of at most 64 megapixels."));
    words.setAttribute("role", "alert");
    const again = this.pick(text("Choose another"), "primary");
    this.step([this.wanted(), words, this.row(this.refuse(), button(text("Open the camera"), "quiet", () => this.camera()), again)], again);
  }
  look(blob, isChosen = false) {
    const { text } = this;
    this.ask.still = blob;
    this.rest();
    this.answer("looks");
    URL.revokeObjectURL(this.url);
    this.url = URL.createObjectURL(blob);
    const send = button(text("Send"), "primary", () => this.send(blob));
    this.step([
      this.wanted(), make("div", { className: "photo-frame" }, make("img", { src: this.url, alt: text("The photo, as it would be sent") })),
      make("p", { className: "soft" }, text("It is sent when you press “Send”, and not before.")),
      this.row(this.refuse(), isChosen ? this.pick(text("Choose another")) : null, button(isChosen ? text("Open the camera") : text("Take again"), "quiet", () => this.camera()), send),
    ], send);
  }

  // -- its way

  async send(blob) {
    const { host, text, ask } = this, label = make("span", {}, text("The photo is being sent …")), bar = make("progress", { max: 1, value: 0 });
    const stop = button(text("Cancel"), "quiet", () => this.sending.abort());
    this.sending = new AbortController();
    this.step([this.wanted(), make("label", { className: "photo-progress" }, label, bar), this.row(stop)], stop);
    host.ui.say(label.textContent);
    try {
      await host.channel.deliver("picture", blob, {
        to: ask.from, head: { id: ask.id }, signal: this.sending.signal,
        onprogress: ({ road, stored, size }) => {
          const words = road === "waiting" ? text("The photo waits until your provider is there.") : text("The photo is being sent …");
          if (label.textContent !== words) host.ui.say(label.textContent = words);
          bar.value = size ? stored / size : 0;
        },
      });
      ask.still = null;
      this.end("sent");
    } catch (error) {
      if (!this.body.isConnected) return;
      if (error.code === "unknown") return this.end("withdrawn"); // the provider's page was loaded anew, or asks for something else
      this.told = "";
      this.look(blob);
      if (error.code === "cancelled" && this.sending.signal.aborted) return;
      const words = make("p", { className: "photo-failed" }, this.failed(error.code));
      words.setAttribute("role", "alert");
      this.body.append(words);
    }
  }
  failed(code) {
    const { text } = this;
    switch (code) {
      case "full": return text("The practice's server has no room just now. Press “Send” again in a moment.");
      case "refused":
      case "cancelled": return text("Your provider's page did not take the photo. Ask your provider, then press “Send” again.");
      default: return text("The photo did not arrive. Press “Send” again; it stays here until then.");
    }
  }
}
