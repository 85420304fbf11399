// Chat: one thread for each visit, shown in the waiting room, on the card, beside the call, and after it.

const BEHIND = 40; // px from the end within which new messages are followed

export function mount(host) {
  const begin = { "call.bar": button, "call.after": after }[host.slot] ?? talk;
  begin(host);
}

const thread = host => host.channel.history("message", { keep: 20_000, copy: entry => line(host, entry) });

function line(host, { t, mine, role, name, data }) {
  return `${time(t)} ${who(host, { mine, role, name })}: ${data.text}`;
}
function who(host, { mine, role, name }) {
  return mine ? host.text("You") : name || (role === "patient" ? host.visit.name || host.text("Patient") : role === "guest" ? host.text("Guest") : host.text("Provider"));
}
const time = t => new Date(t).toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });

// The list of messages, kept in step with the thread.
function list(host, log, thread_) {
  const rows = new Map();
  const row = entry => {
    const item = document.createElement("li");
    item.className = entry.mine ? "mine" : "theirs";
    item.append(
      Object.assign(document.createElement("span"), { className: "chat-who", textContent: `${who(host, entry)} · ${time(entry.t)}` }),
      Object.assign(document.createElement("p"), { textContent: entry.data.text }),
    );
    if (entry.mine) item.append(Object.assign(document.createElement("span"), { className: "chat-state" }));
    rows.set(entry.id, item);
    state(entry);
    return item;
  };
  const state = entry => {
    const place = rows.get(entry.id)?.querySelector(".chat-state");
    if (place) place.textContent = { waiting: host.text("Not delivered yet"), failed: host.text("Could not be sent") }[entry.state] ?? "";
  };
  const end = () => { log.scrollTop = log.scrollHeight; };
  log.replaceChildren(...thread_.entries.map(row));
  thread_.addEventListener("add", ({ detail: { entry, at } }) => {
    const follow = entry.mine || log.scrollHeight - log.scrollTop - log.clientHeight < BEHIND;
    log.insertBefore(row(entry), log.children[at] ?? null);
    if (follow) end();
  }, { signal: host.signal });
  thread_.addEventListener("change", ({ detail: { entry } }) => state(entry), { signal: host.signal });
  requestAnimationFrame(end);
  return end;
}

function talk(host) {
  const { root, settings, signal } = host, log = root.querySelector(".chat-log"), form = root.querySelector(".chat-form"), field = form.querySelector("textarea");
  const whole = root.querySelector(".chat"), patient = host.me.role === "patient", inCall = host.slot === "call.side";
  const messages = thread(host), end = list(host, log, messages);
  const card = whole.localName === "details" ? whole : null;
  let seen = messages.entries.length;

  const visible = () => inCall ? host.ui.panel.open : card ? card.open : document.visibilityState === "visible";
  const unread = () => {
    if (visible()) seen = messages.entries.length;
    host.ui.badge(messages.entries.slice(seen).filter(entry => !entry.mine).length);
  };
  const draw = () => {
    const begun = messages.entries.some(entry => entry.role === "provider");
    const may = !patient || settings.patient_begins || begun;
    whole.hidden = !inCall && (!settings.waiting || ["in_call", "paused"].includes(host.visit.state));
    form.hidden = !may;
    root.querySelector(".chat-closed").hidden = may;
    root.querySelector(".chat-empty").hidden = messages.entries.length > 0 || !may;
    log.hidden = !messages.entries.length;
    unread();
  };
  messages.addEventListener("add", ({ detail: { entry } }) => {
    draw();
    if (!entry.mine) host.ui.say(`${who(host, entry)}: ${entry.data.text}`);
  }, { signal });

  const send = async () => {
    const text = field.value.trim();
    if (!text) return;
    field.value = "";
    try {
      await host.channel.send("message", { text });
    } catch {
      field.value = text;
      host.ui.notice(host.text("This message could not be sent. Try again in a moment."));
    }
    field.focus();
  };
  form.addEventListener("submit", event => {
    event.preventDefault();
    send();
  }, { signal });
  field.addEventListener("keydown", event => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send();
  }, { signal });
  card?.addEventListener("toggle", () => {
    unread();
    if (card.open) {
      end();
      field.focus();
    }
  }, { signal });
  root.addEventListener("shown", () => {
    unread();
    end();
  }, { signal });
  document.addEventListener("visibilitychange", unread, { signal });
  host.visit.on("change", draw);
  draw();
}

function button(host) {
  const { root, signal } = host;
  root.querySelector("button").addEventListener("click", () => host.ui.panel.toggle(), { signal });
}

function after(host) {
  const { root, signal } = host, messages = thread(host);
  if (!messages.entries.length) return;
  root.firstElementChild.hidden = false;
  list(host, root.querySelector(".chat-log"), messages);
  root.querySelector(".chat-copy").addEventListener("click", async () => {
    await navigator.clipboard.writeText(messages.text);
    host.ui.notice(host.text("Copied"));
  }, { signal });
  root.querySelector(".chat-save").addEventListener("click", () => host.ui.download("chat.txt", messages.text), { signal });
}
