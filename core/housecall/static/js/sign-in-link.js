// The token of a link stands in the fragment, which browsers send to nobody; here it goes into the form and out of sight.

const form = document.getElementById("link");

function use() {
  const token = decodeURIComponent(location.hash.slice(1));
  document.getElementById("going").hidden = form.hidden = !token;
  document.getElementById("missing").hidden = Boolean(token);
  if (!token) return;
  form.elements.link.value = token;
  history.replaceState(null, "", location.pathname);
  form.requestSubmit();
}

addEventListener("hashchange", use); // the whole link, pasted where an incomplete one was opened
use();
