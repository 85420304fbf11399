const kinds = tracks => tracks && Object.fromEntries(Object.entries(tracks).map(([kind, track]) => [kind, track?.readyState ?? null]));

export function mount({ root, me, visit, call, ui, text, signal }) {
  const out = root.querySelector("output");
  let work = null;
  const tools = {
    async look() {
      const far = visit.seats.find(({ role }) => role !== me.role), report = await call.stats(far.id);
      const stats = [...new Set([...report.values()].map(({ type }) => type))].filter(type => /^(in|out)bound-rtp$/.test(type)).sort();
      return { state: call.state, local: kinds(call.local), remote: kinds(call.remote(far.id)), nobody: call.remote("nobody"), stats, none: await call.stats("nobody") };
    },
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
