// A patient who waits leaves a number, to be called by text; the card tells the provider, who may call at any time.

const EVERY = 10_000; // ms between two looks while something may change that nobody tells this page

export function mount(host) {
  return host.slot === "dashboard.card" ? card(host) : waiting(host);
}

const early = host => ["arriving", "waiting"].includes(host.visit.state);

// Asks how it stands: at once, at each change of the visit, when told, and now and then while a text is due or under way.
function follow(host, draw) {
  let last = null, timer = 0;
  const look = async () => {
    clearTimeout(timer);
    if (host.signal.aborted || !early(host)) return draw({ state: "off" });
    const answer = await ask(host, "stands");
    if (host.signal.aborted) return;
    if (answer) draw(last = answer);
    if (["kept", "sending", "waiting", "sent"].includes((answer ?? last)?.state)) timer = setTimeout(look, EVERY);
  };
  host.channel.on("changed", look);
  host.visit.on("change", look);
  host.signal.addEventListener("abort", () => clearTimeout(timer));
  look();
  return look;
}

async function ask(host, event, body = {}) {
  try {
    return (await host.channel.send(event, body)).answer;
  } catch {
    return null;
  }
}

function waiting(host) {
  const { root, signal } = host, whole = root.querySelector(".sms"), form = root.querySelector("form"), field = form.querySelector("input");
  const error = root.querySelector(".error"), kept = root.querySelector(".sms-kept"), words = root.querySelector(".sms-kept-words");
  const oops = what => {
    error.textContent = what;
    error.hidden = !what;
    if (what) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
  };
  let said = "";
  const draw = found => {
    const { state } = found, number = found.number ?? (found.ends ? `… ${found.ends}` : "");
    const told = {
      kept: found.waits ? host.text("We text {number} when you are next.", { number }) : host.text("You are next. Your provider can text {number} if you are not here.", { number }),
      sending: host.text("We are sending you a text."), waiting: host.text("We are sending you a text."),
      sent: host.text("We have sent you a text: it is your turn soon. Your number is gone from here."),
      delivered: host.text("We have sent you a text: it is your turn soon. Your number is gone from here."),
    }[state];
    const failed = ["failed", "bounced", "unsure"].includes(state);
    whole.hidden = state === "off";
    whole.dataset.state = state;
    form.hidden = Boolean(told);
    root.querySelector(".sms-words").hidden = Boolean(told);
    kept.hidden = !told;
    root.querySelector(".sms-do").hidden = state !== "kept";
    words.textContent = told ?? "";
    if (failed && said !== state) oops(host.text("The text could not be sent. Keep this page in sight, or give your number again."));
    if (told && told !== said) {
      oops("");
      if (said) host.ui.say(told);
    }
    said = told ?? state;
  };
  const look = follow(host, draw);
  form.addEventListener("submit", async event => {
    event.preventDefault();
    if (!field.value.trim()) return oops(host.text("This is needed."));
    const answer = await ask(host, "ask", { number: field.value });
    if (!answer) return oops(host.text("This could not be sent. Try again in a moment."));
    if (answer.problem) {
      oops(host.text(answer.problem));
      return field.focus();
    }
    field.value = "";
    draw(answer);
    host.ui.say(words.textContent);
    root.querySelector(".sms-forget").focus();
  }, { signal });
  root.querySelector(".sms-forget").addEventListener("click", async () => {
    if (!await ask(host, "forget")) return host.ui.notice(host.text("This could not be sent. Try again in a moment."));
    await look();
    host.ui.notice(host.text("Your number is gone from here."));
    field.focus();
  }, { signal });
}

function card(host) {
  const { root, signal } = host, whole = root.querySelector(".sms"), tag = root.querySelector(".sms-state"), button = root.querySelector("button");
  let said = null;
  const draw = ({ state, reason = "" }) => {
    const told = {
      kept: host.text("Can be called by text"), sending: host.text("Text is being sent"), waiting: host.text("Text is being sent"),
      sent: host.text("Called by text"), delivered: host.text("Called by text, delivered"),
      failed: host.text("The text could not be sent"), bounced: host.text("The text was not delivered"),
      unsure: host.text("It is not known whether the text went"),
    }[state];
    whole.hidden = !told;
    tag.textContent = [told, reason].filter(Boolean).join(": ");
    button.hidden = !["kept", "unsure"].includes(state);
    button.textContent = state === "unsure" ? host.text("Send it again") : host.text("Call by text");
    if (said && said !== told && told) host.ui.say(tag.textContent);
    said = told ?? "";
  };
  const look = follow(host, draw);
  button.addEventListener("click", async () => {
    button.disabled = true;
    const answer = await ask(host, "call");
    button.disabled = false;
    if (!answer) return host.ui.notice(host.text("This could not be sent. Try again in a moment."));
    draw(answer);
    host.ui.say(tag.textContent);
    await look();
  }, { signal });
}
