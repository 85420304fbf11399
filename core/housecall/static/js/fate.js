// What becomes of a message: <p data-posted="id" data-waits data-later data-sent data-failed data-unsure="words">.

const ENDS = { sent: "sent", delivered: "sent", failed: "failed", bounced: "failed", unsure: "unsure" };
const LOOKS = 60; // times; after that it is in the hands of the outbox, which goes on trying

async function follow(line) {
  for (let look = 0; look < LOOKS; look += 1) {
    await new Promise(resolve => { setTimeout(resolve, look < 10 ? 500 : 5000); });
    let told;
    try {
      const answer = await fetch(`/-/posted/${line.dataset.posted}`);
      if (answer.status === 404) return; // an hour ago; or taken back
      told = await answer.json();
    } catch {
      continue; // the server comes back
    }
    const end = ENDS[told.state], { later, waits } = line.dataset;
    const words = end ? line.dataset[end] : told.tries && told.state === "waiting" ? `${waits} ${told.reason} ${later}` : waits;
    const shown = end === "failed" && told.reason ? `${words} ${told.reason}` : words;
    if (line.textContent !== shown) line.textContent = shown;
    line.classList.toggle("good", end === "sent");
    line.classList.toggle("bad", end === "failed");
    if (end) return;
  }
}

for (const line of document.querySelectorAll("[data-posted]")) follow(line);
