// What a photo is of, in words, and how a saved one is called.

export const KINDS = ["skin", "throat", "wound", "medicine", "other"];

// ask: {what, other}
export function named({ text }, { what, other }) {
  switch (what) {
    case "skin": return text("The skin");
    case "throat": return text("The throat");
    case "wound": return text("A wound");
    case "medicine": return text("A medicine box");
    default: return other || text("Something else");
  }
}

// The date and what it is of; a name of the patient that a provider has typed is left out.
export function called(host, photo, marked) {
  const parts = words => words.toLowerCase().split(/[^\p{L}\p{N}]+/u).filter(Boolean);
  const kept = parts(named(host, photo)).filter(word => !parts(host.visit.name ?? "").includes(word));
  const two = n => String(n).padStart(2, "0"), { at } = photo;
  const when = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}-${two(at.getHours())}${two(at.getMinutes())}`;
  return `${["photo", when, ...kept, ...marked ? [parts(host.text("with marks")).join("-")] : []].join("-")}.jpg`;
}
