// Captions: a captioner types what is said. The last lines stand below the pictures, all of them are there after the call.

const SHOWN = 100;           // lines that one can scroll back to in the call
const writers = new Set();   // the seats of captioners, also of those who have left

export function mount(host) {
  const thread = host.channel.history("line", { keep: 5000 });
  const lines = () => thread.entries.filter(({ who, mine }) => mine || writers.has(who)).map(({ data }) => data.text);
  const know = () => { for (const { id, kind } of host.visit.seats) if (kind === "captioner") writers.add(id); };
  know();
  host.visit.on("change", know);
  (host.slot === "call.after" ? after : pane)(host, thread, lines);
}

function pane(host, thread, lines) {
  const { root, signal } = host, whole = root.querySelector(".captions"), log = root.querySelector(".captions-log"), form = root.querySelector("form");
  const writes = host.me.kind === "captioner", field = form.querySelector("input"), end = () => { log.scrollTop = log.scrollHeight; };
  const draw = () => {
    const last = lines().slice(-SHOWN);
    whole.hidden = !writes && !last.length;
    for (const [i, line] of last.entries()) {
      if (i < log.children.length && log.children[i].textContent === line) continue;
      const row = Object.assign(document.createElement("p"), { textContent: line });
      if (i < log.children.length) log.children[i].replaceWith(row);
      else log.append(row);
    }
    while (log.children.length > last.length) log.lastElementChild.remove();
    end();
  };
  const sized = new ResizeObserver(end);               // a panel beside the call makes the lines shorter
  sized.observe(log);
  signal.addEventListener("abort", () => sized.disconnect());
  thread.addEventListener("add", draw, { signal });
  host.visit.on("change", draw);
  copying(host, root, lines);
  form.hidden = !writes;
  form.addEventListener("submit", async event => {
    event.preventDefault();
    const text = field.value.trim();
    if (!text) return;
    field.value = "";
    try {
      await host.channel.send("line", { text });
    } catch {
      field.value ||= text;
      host.ui.notice(host.text("This line could not be sent. Try again in a moment."));
    }
  }, { signal });
  draw();
  if (writes) field.focus();
}

function after(host, thread, lines) {
  const { root, signal } = host;
  if (!lines().length) return;
  root.firstElementChild.hidden = false;
  root.querySelector(".captions-all").textContent = lines().join("\n");
  copying(host, root, lines);
  root.querySelector(".captions-save").addEventListener("click", () => host.ui.download("captions.txt", lines().join("\n")), { signal });
}

function copying(host, root, lines) {
  root.querySelector(".captions-copy").addEventListener("click", async () => {
    await navigator.clipboard.writeText(lines().join("\n"));
    host.ui.notice(host.text("Copied"));
  }, { signal: host.signal });
}
