// Buttons that copy a field: <button disabled data-copy="id of the field" data-done="Copied">, which waits for us.

for (const button of document.querySelectorAll("[data-copy]")) {
  button.disabled = false;
  button.addEventListener("click", async () => {
    const field = document.getElementById(button.dataset.copy), words = button.lastElementChild, before = words.textContent;
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
    } catch {
      return;                                          // it stands selected, for Ctrl+C
    }
    words.textContent = button.dataset.done;
    setTimeout(() => { words.textContent = before; }, 2000);
  });
}
