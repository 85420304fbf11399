// On the member's own page: of which rooms to be told, and in which browsers. What is chosen here counts at once.

const PATIENCE = 60_000; // ms in which a test is sent or not at all
const ASK = 1000;        // ms between two looks at it

export async function mount(host) {
  const { root, text, ui, signal } = host, part = name => root.querySelector(`.notify-${name}`);
  const wait = part("wait");
  let here = null; // this browser's subscription

  async function draw() {
    here = await subscription(host.plugin);
    const { status, body } = await host.post("mine", { endpoint: here?.endpoint ?? null });
    if (signal.aborted) return;
    if (status !== 200) {
      wait.hidden = false;
      wait.textContent = text("This could not be loaded. Reload the page.");
      return;
    }
    wait.hidden = true;
    part("live").hidden = false;
    ways(body.ways);
    rooms(body.rooms);
    browsers(body);
  }

  // -- which ways

  const NAMES = { push: text("On my devices"), mail: text("By e-mail"), text: text("By text message") };
  const MISSING = {
    browser: text("turn it on below, in each browser"), mail: text("this practice cannot send e-mail yet"),
    text: text("this practice cannot send text messages yet"), mobile: text("write your mobile number above and save"),
  };

  function ways(chosen) {
    const lines = chosen.map(([way, missing]) => `${NAMES[way]}: ${MISSING[missing] ?? text("ready")}`);
    if (!lines.length) lines.push(text("You have chosen no way above, so nothing is sent."));
    part("ways").replaceChildren(...lines.map(words => make("li", { textContent: words })));
    part("test").disabled = chosen.every(([, missing]) => missing);
  }

  // -- which rooms

  function rooms(all) {
    const legend = part("rooms").querySelector("legend");
    part("rooms").replaceChildren(legend, ...all.map(room => {
      const id = `notify-room-${room.id}`, box = make("input", { type: "checkbox", id, checked: room.wanted });
      box.addEventListener("change", () => choose(room, box), { signal });
      const row = make("div", { className: "tick" });
      row.append(box, make("label", { htmlFor: id, textContent: room.name }));
      return row;
    }));
    if (!all.length) part("rooms").append(make("p", { className: "soft", textContent: text("You serve no room yet.") }));
  }

  async function choose(room, box) {
    const { status } = await host.post("rooms", { room: room.id, wanted: box.checked });
    if (status !== 200) {
      box.checked = !box.checked;
      return ui.notice(text("This could not be saved. Try again in a moment."));
    }
    ui.say(box.checked ? text("You are told who waits in {room}.", { room: room.name }) : text("You are not told who waits in {room}.", { room: room.name }));
  }

  // -- which browsers

  function browsers({ key, browsers: all, ways: chosen }) {
    const on = all.some(row => row.here), state = supported(), wanted = chosen.some(([way]) => way === "push");
    const others = all.filter(row => !row.here), day = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium" });
    part("state").textContent = on && wanted ? text("Notifications are on in this browser.") : on ? text("Notifications are on in this browser, but “On my devices” is not chosen above: nothing is sent to it.") : {
      "": text("Notifications are off in this browser."),
      blocked: text("Your browser blocks notifications of this page. Allow them at the lock sign beside the address, then reload the page."),
      unsupported: text("This browser cannot be notified while its page is closed. On an iPhone or iPad, add this page to the Home Screen and open it from there."),
    }[state];
    part("on").hidden = on || state !== "";
    part("off").hidden = !on;
    part("on").onclick = () => busy(part("on"), () => turnOn(key));
    part("off").onclick = () => busy(part("off"), () => turnOff(all.find(row => row.here).id));
    part("browsers").replaceChildren(...others.map(row => {
      const name = row.name || text("Browser"), item = make("li");
      const button = make("button", { type: "button", className: "button quiet", textContent: text("Turn off") });
      button.setAttribute("aria-label", text("Turn off in {browser}", { browser: name }));
      button.addEventListener("click", () => busy(button, () => forget(row.id)), { signal });
      item.append(make("span", { textContent: text("{browser}, since {day}", { browser: name, day: day.format(row.made) }) }), button);
      return item;
    }));
  }

  async function turnOn(key) {
    if (await Notification.requestPermission() !== "granted") {
      part("state").textContent = text("Your browser did not allow notifications. Allow them at the lock sign beside the address, then press again.");
      return;
    }
    try {
      here = await subscribe(await active(await host.worker()), key);
    } catch {
      part("state").textContent = text("Your browser could not reach its maker's notification service. Try again, or use another way.");
      return;
    }
    const { status, body } = await host.post("browsers", here.toJSON());
    if (status !== 201) {
      await here.unsubscribe();
      part("state").textContent = body.error === "service"
        ? text("This practice does not know your browser's notification service. Ask the person who runs its server, or use another browser.")
        : text("This could not be saved. Try again in a moment.");
      return;
    }
    await draw();
    ui.say(part("state").textContent);
    part("off").focus();
  }

  async function turnOff(id) {
    if (!await forget(id)) return;
    await here?.unsubscribe();
    await draw();
    part("on").focus();
  }

  async function forget(id) {
    const { status } = await host.post("browsers/forget", { id });
    if (status !== 200) return ui.notice(text("This could not be saved. Try again in a moment."));
    await draw();
    ui.say(text("Turned off."));
    return true;
  }

  // -- a test

  part("test").onclick = () => busy(part("test"), async () => {
    const { status, body } = await host.post("test", {});
    if (status === 429) return results([text("Wait ten seconds between two tests.")]);
    if (status !== 200) return results([text("The test could not be sent. Try again in a moment.")]);
    const end = Date.now() + PATIENCE;
    let messages = body.ways.map(way => ({ way, state: "waiting" }));
    while (!signal.aborted) {
      results(messages.map(line));
      if (Date.now() > end || messages.every(({ state }) => !["waiting", "sending"].includes(state))) break;
      await new Promise(done => setTimeout(done, ASK));
      ({ body: { messages = messages } } = await host.post("test/now", {}));
    }
  });

  function line({ way, state, reason = "" }) {
    const words = { sent: text("sent"), delivered: text("arrived"), waiting: text("on its way"), sending: text("on its way") };
    return `${NAMES[way]}: ${words[state] ?? text("not sent")}${reason ? ` (${reason})` : ""}`;
  }

  function results(lines) {
    const list = part("results"), now = [...list.children].map(each => each.textContent);
    if (now.join("\n") !== lines.join("\n")) list.replaceChildren(...lines.map(words => make("li", { textContent: words })));
  }

  await draw();
}

const make = (tag, given = {}) => Object.assign(document.createElement(tag), given);

async function busy(button, work) {
  button.disabled = true;
  try {
    await work();
  } finally {
    button.disabled = false;
  }
}

function supported() {
  if (!navigator.serviceWorker || !globalThis.PushManager || !globalThis.Notification) return "unsupported";
  return Notification.permission === "denied" ? "blocked" : "";
}

// What this browser has subscribed already, or null.
async function subscription(plugin) {
  if (supported() === "unsupported") return null;
  const registration = await navigator.serviceWorker.getRegistration(`/-/${plugin}/`);
  return await registration?.pushManager.getSubscription() ?? null;
}

// A worker that has just come takes a moment to begin.
async function active(registration) {
  const worker = registration.active ?? registration.waiting ?? registration.installing;
  while (worker.state !== "activated") {
    if (worker.state === "redundant") throw new Error("the worker did not begin");
    await new Promise(done => worker.addEventListener("statechange", done, { once: true }));
  }
  return registration;
}

// A subscription that was made for another key of the server is made anew.
async function subscribe({ pushManager }, key) {
  const raw = Uint8Array.from(atob(key.replaceAll("-", "+").replaceAll("_", "/")), letter => letter.charCodeAt(0));
  const options = { userVisibleOnly: true, applicationServerKey: raw };
  try {
    return await pushManager.subscribe(options);
  } catch (error) {
    const old = await pushManager.getSubscription();
    if (!old) throw error;
    await old.unsubscribe();
    return pushManager.subscribe(options);
  }
}
