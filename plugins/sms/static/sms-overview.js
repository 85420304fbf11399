// The page where texts are tried: how long a text is, and what becomes of the one that was sent.

const FINAL = ["delivered", "bounced", "failed", "unsure"];
const PATIENCE = 10 * 60_000; // ms that a report is waited for

const filled = (words, values) => words.replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);

async function counted() {
  const field = document.getElementById("text"), line = document.getElementById("sms-size");
  if (!field) return;
  const { size } = await import(line.dataset.module);
  const draw = () => {
    const found = size(field.value.trim()), { one, many, strange } = line.dataset;
    const words = filled(found.parts > 1 ? many : one, { ...found, most: found.units + found.left });
    line.textContent = found.strange.length ? `${words}. ${filled(strange, { strange: found.strange.join(" ") })}` : words;
  };
  field.addEventListener("input", draw);
  draw();
}

async function followed() {
  const line = document.querySelector(".sms-became"), id = line?.dataset.sent, end = Date.now() + PATIENCE;
  if (!id) return;
  let said = "";
  while (Date.now() < end) {
    const { state, reason } = await became(id);
    const words = [state === "sent" ? line.dataset.sentWords : line.dataset[state], reason].filter(Boolean).join(" ");
    if (words !== said) line.textContent = said = words;
    line.classList.toggle("good", state === "sent" || state === "delivered");
    line.dataset.state = state;
    if (FINAL.includes(state) || state === "gone") return;
    await new Promise(resolve => { setTimeout(resolve, state === "sent" ? 3000 : 700); });
  }
}

async function became(id) {
  try {
    const answer = await fetch(`/-/posted/${encodeURIComponent(id)}`);
    return answer.ok ? await answer.json() : { state: "gone" };
  } catch {
    return { state: "waiting" };
  }
}

// Shows how a number is read, once somebody has typed it.
function read() {
  const field = document.getElementById("number"), line = document.getElementById("number-read");
  field?.addEventListener("change", async () => {
    line.textContent = "";
    if (!field.value.trim()) return;
    const body = new URLSearchParams({ number: field.value, token: field.form.elements.token.value });
    try {
      const { number, problem } = await (await fetch("/-/sms/understood", { method: "POST", body })).json();
      line.textContent = problem ?? filled(line.dataset.read, { number });
    } catch {
      line.textContent = "";
    }
  });
}

counted();
read();
followed();
