// The declared events of everything that is on, by full name.

import { page } from "./page.js";

let known = null;

export const rules = () => known ??= Object.assign({}, ...Object.values(page.parts).map(part => part.events));
export function changed() { known = null; }
