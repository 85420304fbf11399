// Leaves something behind outside of its own part.
export function mount() {
  document.body.append(Object.assign(document.createElement("div"), { className: "stays", hidden: true }));
}
