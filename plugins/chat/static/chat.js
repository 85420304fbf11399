// Chat: one thread for each visit, shown in the waiting room, on the card, beside the call, and after it.

const BEHIND = 40;  // px from the end within which new messages are followed
const SHOWN = 200;  // messages at first, and more for each time that one asks

export function mount(host) {
  const begin = { "call.bar": button, "call.after": after }[host.slot] ?? talk;
  begin(host);
}

const thread = host => host.channel.history("message", { keep: 20_000, copy: entry => line(host, entry) });

function line(host, { t, mine, role, name, data, told }) {
  return `${time(t)} ${who(host, { mine, role, name })}${told ? ` (${again(host)})` : ""}: ${data.text}`;
}
// What was said before this page was loaded, and is not told by its author.
const again = host => host.text("told again by the other side");
function who(host, { mine, role, name }) {
  return mine ? host.text("You") : name || (role === "patient" ? host.visit.name || host.text("Patient") : role === "guest" ? host.text("Guest") : host.text("Provider"));
}
const clock = new Intl.DateTimeFormat(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
const time = t => clock.format(t);

// The list of messages, kept in step with the thread: once a frame, and the latest only until more are asked for.
function list(host, log, thread_, changed = () => {}) {
  const rows = new Map(), earlier = Object.assign(document.createElement("button"), { type: "button", className: "link" });
  const states = { waiting: host.text("Not delivered yet"), failed: host.text("Could not be sent") };
  let shown = SHOWN, due = false, follow = true;
  earlier.append(host.text("Show earlier messages"));
  earlier.addEventListener("click", () => {
    shown += SHOWN;
    draw();
  });
  const row = entry => {
    const item = document.createElement("li");
    item.className = entry.mine ? "mine" : "theirs";
    item.append(
      Object.assign(document.createElement("span"), { className: "chat-who", textContent: [who(host, entry), time(entry.t), ...entry.told ? [again(host)] : []].join(" · ") }),
      Object.assign(document.createElement("p"), { textContent: entry.data.text }),
      Object.assign(document.createElement("span"), { className: "chat-state" }),
    );
    return item;
  };
  const draw = () => {
    due = false;
    const latest = thread_.entries.slice(-shown), kept = new Set(latest.map(entry => entry.id));
    for (const [id, item] of rows) if (!kept.has(id)) {
      item.remove();
      rows.delete(id);
    }
    latest.forEach((entry, i) => {
      if (!rows.has(entry.id)) rows.set(entry.id, row(entry));
      const item = rows.get(entry.id);
      const state = entry.mine ? states[entry.state] ?? "" : "";
      if (item.lastElementChild.textContent !== state) item.lastElementChild.textContent = state;
      if (log.children[i] !== item) log.insertBefore(item, log.children[i] ?? null);
    });
    if (thread_.entries.length > shown) log.before(earlier);
    else earlier.remove();
    log.dataset.count = thread_.entries.length;
    changed();
    if (follow) end();
  };
  const end = () => { log.scrollTop = 1e9; };   // reads nothing: the page is laid out once a frame, not once a message
  const soon = () => {
    if (!due) requestAnimationFrame(() => host.signal.aborted || draw());
    due = true;
  };
  thread_.addEventListener("add", ({ detail: { entry } }) => {
    follow ||= entry.mine;
    soon();
  }, { signal: host.signal });
  thread_.addEventListener("change", ({ detail: { entry } }) => {
    rows.get(entry.id)?.remove();
    rows.delete(entry.id);
    soon();
  }, { signal: host.signal });
  log.addEventListener("scroll", () => { follow = log.scrollHeight - log.scrollTop - log.clientHeight < BEHIND; }, { signal: host.signal, passive: true });
  draw();
  return end;
}

function talk(host) {
  const { root, settings, signal } = host, log = root.querySelector(".chat-log"), form = root.querySelector(".chat-form"), field = form.querySelector("textarea");
  const whole = root.querySelector(".chat"), patient = host.me.role === "patient", inCall = host.slot === "call.side";
  const messages = thread(host), card = whole.localName === "details" ? whole : null;
  let seen = messages.entries.length, last = null;

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
    const latest = messages.entries.at(-1);
    if (latest && last && latest !== last && !latest.mine) host.ui.say(`${who(host, latest)}: ${latest.data.text}`);
    last = latest ?? {};
  };
  const end = list(host, log, messages, draw);

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
    if (form.contains(document.activeElement)) field.focus();
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
