// Cannot begin a second time.
let begun = false;

export function mount() {
  if (begun) throw new Error("once is enough");
  begun = true;
}
