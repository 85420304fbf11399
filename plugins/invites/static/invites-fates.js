// What became of what was sent, while the page is open: told in the dialogue, and as a notice when that is closed.

const PACE = 1000, SLOWEST = 20_000; // ms between two questions, at first and at last
const FINAL = ["sent", "failed", "delivered", "bounced", "gone"];

export class Fates {
  constructor(host, list, ask) {
    Object.assign(this, { host, list, ask });
  }

  add(id, what) {
    const line = document.createElement("li"), words = document.createElement("span");
    line.append(words);
    this.list.append(line);
    line.scrollIntoView({ block: "nearest" });
    this.follow({ id, what, line, words });
  }

  async follow(one) {
    const { host } = this;
    for (let pace = PACE; ; pace = Math.min(SLOWEST, pace * 1.2)) {
      if (host.signal.aborted) return;
      const { status, body } = await this.ask(`posted/${one.id}`);
      if (status === 200) this.tell(one, body);
      if (status === 200 && (FINAL.includes(body.state) || body.state === "unsure")) return;
      await new Promise(resolve => { setTimeout(resolve, pace); });
    }
  }

  tell(one, { state, reason }) {
    const { host } = this, { what, line, words } = one;
    if (line.dataset.state === state && one.reason === reason) return;
    one.reason = reason;
    line.dataset.state = state;
    words.textContent = SAID[state](host, { what, reason });
    line.querySelector("button")?.remove();
    if (state === "unsure") {
      const again = Object.assign(document.createElement("button"), { type: "button", className: "button quiet", textContent: host.text("Send it again") });
      again.addEventListener("click", async () => {
        again.disabled = true;
        await this.ask("again", { post: one.id });
        this.follow(one);
      });
      line.append(again);
    }
    if (!line.isConnected && ["failed", "unsure", "bounced"].includes(state)) host.ui.notice(words.textContent);
  }
}

const SAID = {
  waiting: (host, said) => said.reason ? host.text("{what}: not sent yet, it is tried again. {reason}", said) : host.text("{what}: is being sent …", said),
  sending: (host, said) => host.text("{what}: is being sent …", said),
  sent: (host, said) => host.text("{what}: sent.", said),
  delivered: (host, said) => host.text("{what}: delivered.", said),
  failed: (host, said) => host.text("{what}: not sent. {reason}", said),
  bounced: (host, said) => host.text("{what}: came back. {reason}", said),
  unsure: (host, said) => host.text("{what}: it may have gone, or not. {reason}", said),
  gone: (host, said) => host.text("{what}: nothing is known of it any more.", said),
};
