// The link's token stands in the fragment, which browsers send to nobody; here it goes into the form and out of sight.

const form = document.getElementById("answer"), missing = document.getElementById("missing");

function use() {
  const token = location.hash.slice(1);
  if (token) {
    form.elements.link.value = token;
    history.replaceState(null, "", location.pathname);
  }
  form.hidden = !form.elements.link.value;
  if (missing) missing.hidden = !form.hidden;
}

if (form) {
  addEventListener("hashchange", use); // the whole link, pasted where an incomplete one was opened
  use();
}
