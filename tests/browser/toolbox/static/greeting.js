export function mount({ root, answer, done, signal }) {
  root.querySelector("[data-do=answer]").addEventListener("click", async () => {
    await answer("greeting", { words: "Good morning", well: true });
    await done("greeting");
  }, { signal });
  root.querySelector("[data-do=undo]").addEventListener("click", () => done("greeting", false), { signal });
}
