// POST to our own server, with the page's form token.

import { page } from "./page.js";

// Answers {status, body}; status 0 when the server was not reached.
export async function post(url, body) {
  try {
    const headers = { "Content-Type": "application/json", "X-Form-Token": page.token };
    const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
    const json = response.headers.get("Content-Type")?.startsWith("application/json");
    return { status: response.status, body: json ? await response.json() : {} };
  } catch {
    return { status: 0, body: {} };
  }
}

// For a page that is closing: no answer, at most a few bytes.
export function beacon(url, fields) {
  const form = new FormData();
  for (const [name, value] of Object.entries({ token: page.token, ...fields })) form.append(name, value);
  navigator.sendBeacon(url, form);
}
