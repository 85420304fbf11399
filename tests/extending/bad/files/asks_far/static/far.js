// Would bring code from another host.
const far = "https://cdn.example.org/more.js";

export function mount(host) {
  host.root.addEventListener("never", () => import(far), { signal: host.signal });
}
