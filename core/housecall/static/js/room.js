// The form of a room's content: a preview or an error never costs the picture or the video that was chosen.

const CHOSEN = { photo: "chosen-photo", video: "chosen-video" }; // file input -> what the server's preview calls its picture

document.addEventListener("submit", event => {
  if (!event.target.matches("form[data-busy]")) return;
  event.preventDefault();
  send(event.target, event.submitter?.value ?? "save");
});

async function send(form, what) {
  const data = new FormData(form), line = form.querySelector("[data-busy-line]"), buttons = form.querySelectorAll("button");
  data.set("do", what);
  // A preview needs no more of a file than that there is one.
  if (what === "preview") for (const name of Object.keys(CHOSEN)) if (data.get(name)?.name) data.set(name, new File([], data.get(name).name));
  for (const button of buttons) button.disabled = true;
  line.textContent = what === "preview" ? "" : form.dataset.busy;
  const { document: fresh, url } = await posted(data);
  for (const button of buttons) button.disabled = false;
  line.textContent = "";
  if (url && new URL(url).searchParams.has("saved")) location.replace(url);
  else if (fresh?.querySelector("form[data-busy]")) show(form, fresh.querySelector("main"));
  else line.textContent = [...fresh?.querySelectorAll("main h1, main p") ?? []].map(each => each.textContent).join(" ") || form.dataset.lost;
}

// The page as the server answers it, with the files that were chosen here.
function show(form, main) {
  for (const [name, called] of Object.entries(CHOSEN)) {
    const input = form.elements[name], [file] = input?.files ?? [];
    for (const element of main.querySelectorAll(`[src$="/${called}"]`)) element.src = file ? URL.createObjectURL(file) : "";
    main.querySelector(`#${name}`)?.replaceWith(input);
  }
  form.closest("main").replaceWith(document.adoptNode(main));
  main.querySelector(".summary, #preview-title")?.focus();
}

// An XMLHttpRequest, because it gives a document without a string on the way.
function posted(data) {
  return new Promise(resolve => {
    const request = new XMLHttpRequest();
    request.open("POST", location.pathname);
    request.responseType = "document";
    request.onload = () => resolve({ document: request.response, url: request.responseURL });
    request.onerror = () => resolve({});
    request.send(data);
  });
}
