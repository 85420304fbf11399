// What goes from one seat of a visit to another, as [sound, camera, screen]: the table of docs/contracts.md §9.

const ALL = [true, true, true], SOUND = [true, false, false], NOTHING = [false, false, false];

// A captioner writes: neither microphone nor camera is even asked for.
export const speaks = ({ kind }) => kind !== "captioner";

// from, to: rows of `seats`. Behind the curtain one hears, and sees nobody.
export const sends = (from, to) => !speaks(from) ? NOTHING : to.curtain ? SOUND : ALL;
