// The practice's plan in a few words: on the tile of its page, and above the queue when an owner or admin has to do something.

export async function mount(host) {
  const { root, signal, slot, text } = host;
  const said = await ask(signal);
  if (!said?.plan || signal.aborted) return;
  if (slot === "admin.home") root.querySelector("[data-plan]").textContent = said.plan;
  else if (said.urgent) banner(root.querySelector("p"), said, text);
}

async function ask(signal) {
  try {
    const answer = await fetch("/-/plans/word", { signal });
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;                                         // the page of the plan says all, when it is opened
  }
}

function banner(element, said, text) {
  const link = Object.assign(document.createElement("a"), { href: "/-/plans/", textContent: text("See the plan") });
  element.append(sentence(said, text), " ", link);
  element.hidden = false;
}

function sentence({ state, paid, plan, days }, text) {
  if (state === "lapsed") return text("The plan {paid} was not paid, and you have {plan} now. Nothing was deleted.", { paid, plan });
  if (state === "past_due") return days === 1 ? text("The payment for the plan {paid} did not go through. It ends in one day unless it is paid.", { paid }) : text("The payment for the plan {paid} did not go through. It ends in {days} days unless it is paid.", { paid, days });
  return days === 1 ? text("The trial of the plan {paid} ends in one day.", { paid }) : text("The trial of the plan {paid} ends in {days} days.", { paid, days });
}
