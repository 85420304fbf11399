// A form that takes long to send says so, and cannot be sent twice.

for (const form of document.querySelectorAll("form[data-busy]")) {
  form.addEventListener("submit", () => setTimeout(() => {   // later: a button that is off now would not be sent
    for (const button of form.querySelectorAll("button")) button.disabled = true;
    form.querySelector("[data-busy-line]").textContent = form.dataset.busy;
  }));
  addEventListener("pageshow", () => { for (const button of form.querySelectorAll("button")) button.disabled = false; });
}
