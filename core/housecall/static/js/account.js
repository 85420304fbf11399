// Shows a chosen photo before it is saved.

const field = document.getElementById("photo");

field.addEventListener("change", () => {
  const [file] = field.files;
  if (!file) return;
  const shown = document.getElementById("photo-now") ?? document.createElement("img");
  if (shown.src.startsWith("blob:")) URL.revokeObjectURL(shown.src);
  Object.assign(shown, { id: "photo-now", src: URL.createObjectURL(file), width: 96, height: 96, alt: "" });
  document.getElementById("photo-none")?.replaceWith(shown);
});
