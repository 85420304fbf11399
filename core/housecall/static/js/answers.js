// What a patient answered at check-in, as the provider sees it on the card.

export function showAnswers(place, thread) {
  const latest = new Map(thread.entries.map(entry => [entry.data.step, entry.data]));
  place.hidden = !latest.size;
  const list = place.querySelector("dl");
  list.replaceChildren(...[...latest.values()].flatMap(({ title, rows }) => [
    Object.assign(document.createElement("dt"), { className: "step-title", textContent: String(title) }),
    ...(Array.isArray(rows) ? rows.filter(Array.isArray) : []).map(([label, value]) => {
      const row = document.createElement("dd");
      row.append(Object.assign(document.createElement("span"), { className: "soft", textContent: `${label} ` }), document.createTextNode(String(value)));
      return row;
    }),
  ]));
}
