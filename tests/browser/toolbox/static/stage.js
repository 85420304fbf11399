const kinds = tracks => tracks && Object.fromEntries(Object.entries(tracks).map(([kind, track]) => [kind, track?.readyState ?? null]));

export function mount({ root, me, visit, call, ui, text, signal }) {
  const out = root.querySelector("output");
  let work = null, shown = null, changes = 0;
  call.on("change", () => { changes += 1; });
  const painted = colour => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 360 }), pen = canvas.getContext("2d");
    setInterval(() => { pen.fillStyle = colour; pen.fillRect(0, 0, 640, 360); }, 100);
    return canvas.captureStream(10).getVideoTracks()[0];
  };
  const tools = {
    async look() {
      const far = visit.seats.find(({ role }) => role !== me.role), report = await call.stats(far.id);
      const stats = [...new Set([...report.values()].map(({ type }) => type))].filter(type => /^(in|out)bound-rtp$/.test(type)).sort();
      return { state: call.state, local: kinds(call.local), remote: kinds(call.remote(far.id)), nobody: call.remote("nobody"), stats, none: await call.stats("nobody") };
    },
    show() {
      const codes = ["screen", "sound"].map(purpose => {
        try {
          const track = painted("#0000e0");
          shown = call.add(purpose, track);
          window.toolboxTrack = track;
        } catch ({ code }) {
          return code;
        }
      });
      return { codes, screen: call.local.screen?.readyState ?? null };
    },
    another: async () => shown.replace(window.toolboxTrack = painted("#c0c000")),
    async hide() {
      await shown.remove();
      return call.local.screen;
    },
    shows: () => ({ far: call.shows(visit.seats.find(({ role }) => role !== me.role).id), nobody: call.shows("nobody"), changes }),
    ask: () => ui.dialog({
      title: text("Which one?"), body: Object.assign(document.createElement("p"), { textContent: text("Choose well.") }),
      buttons: [{ value: "left", label: text("Left") }, { value: "right", label: text("Right"), kind: "primary" }],
    }),
    sure: () => ui.confirm(text("Really?"), { yes: text("Do it"), no: text("Leave it"), details: text("It cannot be undone."), danger: true }),
    work() {
      work = work ? void work.done() : ui.progress(text("Working"));
      work?.value(0.25);
      return Boolean(work);
    },
  };
  for (const [name, tool] of Object.entries(tools)) {
    root.querySelector(`[data-do=${name}]`).addEventListener("click", async () => {
      out.textContent = "";
      out.textContent = JSON.stringify(await tool());
    }, { signal });
  }
}
