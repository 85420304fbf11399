// The token of a link stands in the fragment, which browsers send to nobody; here it goes into the form and out of sight.

const form = document.getElementById("link");
const token = decodeURIComponent(location.hash.slice(1));

if (token) {
  form.elements.link.value = token;
  history.replaceState(null, "", location.pathname);
  form.requestSubmit();
} else {
  document.getElementById("going").hidden = form.hidden = true;
  document.getElementById("missing").hidden = false;
}
