// How many parts a text message is sent in: GSM 03.38's letters or UCS-2. For plugins, as "housecall/segments.js".

const BASIC = new Set("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà");
const EXTENSION = new Set("\f^{}\\[~]|€"); // each takes the place of two

// {encoding: "gsm7" | "ucs2", units, parts, left (in the last part), strange (letters that make it UCS-2, at most five)}
export function size(text) {
  const letters = [...text];
  const strange = [...new Set(letters.filter(c => !BASIC.has(c) && !EXTENSION.has(c)))].slice(0, 5);
  const [encoding, one, many] = strange.length ? ["ucs2", 70, 67] : ["gsm7", 160, 153];
  const costs = letters.map(c => strange.length ? c.length : EXTENSION.has(c) ? 2 : 1);
  const units = costs.reduce((sum, cost) => sum + cost, 0);
  if (units <= one) return { encoding, units, parts: units ? 1 : 0, left: one - units, strange };
  let parts = 1, left = many;
  for (const cost of costs) {                            // what takes two places is not cut in two
    if (cost > left) {
      parts += 1;
      left = many;
    }
    left -= cost;
  }
  return { encoding, units, parts, left, strange };
}
