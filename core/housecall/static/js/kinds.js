// What guests come as, in words.

import { text } from "./text.js";

export const kinds = {
  interpreter: text("interpreter"), relative: text("relative"), colleague: text("colleague"), captioner: text("captioner"), chaperone: text("chaperone"),
};

export const called = ({ name, kind }) => text("{name} ({kind})", { name: name || text("Guest"), kind: kinds[kind] });
