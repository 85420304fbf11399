// Typed fields: what fields.py does, for answers that never reach the server. Fields are what its describe() gives.

const SPACE = " \t\n\r\f\v\u00a0"; // written out, for what counts as space differs between Python and JavaScript
const CONTROL = /[\x00-\x1f\x7f\p{Cs}]/u;
const CONTROL_LONG = /[\x00-\x08\x0b-\x1f\x7f\p{Cs}]/u; // tabs and line ends may stand
const PART = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?";
const HOST = `${PART}(?:\\.${PART})*`;
const INT = /^[+-]?[0-9]{1,16}$/;
const MONEY = /^(-?)([0-9]{1,14})(?:[.,]([0-9]{1,2}))?$/;
const DURATION = /^(?:([0-9]{1,6}) ?d)? ?(?:([0-9]{1,6}) ?h)? ?(?:([0-9]{1,6}) ?m(?:in)?)? ?(?:([0-9]{1,9}) ?s)?$/;
const COLOR = /^#[0-9a-f]{6}$/;
const EMAIL = new RegExp(`^[a-zA-Z0-9.!#$%&'*+/=?^_\`{|}~-]+@${HOST}$`);
const URL_RULE = new RegExp(`^https?://${HOST}(?::[0-9]{1,5})?(?:[/?#][!#-;=?-\\[\\]-~]*)?$`);
const PHONE = /^(?:\+[1-9][0-9]{2,14}|[0-9]{3,15})$/;
const DATE = /^([0-9]{4})-([0-9]{2})-([0-9]{2})$/;
const TIME = /^(?:[01][0-9]|2[0-3]):[0-5][0-9]$/;
const FILE = /^data:[a-z0-9][a-z0-9.+-]*\/[a-z0-9][a-z0-9.+-]*;base64,([A-Za-z0-9+/]*)(={0,2})$/;
const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

class Wrong extends Error {}
const refuse = code => { throw new Wrong(code); };

// The values of these fields in their types, and the errors: field id to a code. What is empty becomes the default.
export function clean(fields, values) {
  const known = new Map(fields.map(field => [field.id, field]));
  const result = [];
  const errors = Object.keys(values).filter(name => !known.has(name)).map(name => [name, "unknown"]);
  for (const [id, field] of known) {
    try {
      result.push([id, one(field, Object.hasOwn(values, id) ? values[id] : null)]);
    } catch (error) {
      if (!(error instanceof Wrong)) throw error;
      errors.push([id, error.message]);
    }
  }
  return { values: Object.fromEntries(result), errors: Object.fromEntries(errors) };
}

// What a <form> says about these fields, ready for clean(); inputs are named prefix + id. Files become data: URLs.
export async function read(form, fields, prefix = "") {
  const data = new FormData(form), values = {};
  for (const { id, type, max } of fields) {
    const name = prefix + id;
    if (type === "bool") values[id] = data.has(name);
    else if (type === "choices") values[id] = data.getAll(name);
    else if (type === "file") values[id] = await dataUrl(data.get(name), max);
    else if (data.has(name)) values[id] = data.get(name);
  }
  return values;
}

function one(field, raw) {
  if (field.type === "bool") {
    const value = bool(field, raw);
    return field.required && !value ? refuse("required") : value;
  }
  if (typeof raw === "string") raw = strip(raw.replace(/\r\n?/g, "\n"));
  if (raw == null || raw === "" || Array.isArray(raw) && !raw.length) {
    if (field.required) refuse("required");
    return field.default ?? (field.type === "choices" ? [] : null);
  }
  if (field.type === "choices") return choices(field, raw);
  if (field.type in NUMBERS) return number(field, raw);
  if (typeof raw !== "string" || (field.type === "long" ? CONTROL_LONG : CONTROL).test(raw)) refuse("invalid");
  if (field.type === "file") return file(field, raw);
  const length = [...raw].length; // characters, as Python counts them, not UTF-16 units
  if (field.min != null && length < field.min) refuse("too_short");
  if (field.max != null && length > field.max) refuse("too_long");
  if (field.pattern != null && !new RegExp(`^(?:${field.pattern})$`, "su").test(raw)) refuse("invalid");
  if (field.type === "choice" && !field.choices.some(([value]) => value === raw)) refuse("choice");
  return field.type in CHECKS ? CHECKS[field.type](raw) : raw;
}

function strip(text) {
  let start = 0, end = text.length;
  while (start < end && SPACE.includes(text[start])) start += 1;
  while (start < end && SPACE.includes(text[end - 1])) end -= 1;
  return text.slice(start, end);
}

function bool(field, raw) {
  if (raw == null || raw === "") return field.default === true;
  if (typeof raw === "boolean") return raw;
  return raw === "on" || raw === "yes" || refuse("invalid");
}

function choices(field, raw) {
  const chosen = typeof raw === "string" ? [raw] : raw;
  if (!Array.isArray(chosen) || !chosen.every(each => typeof each === "string")) refuse("invalid");
  const known = field.choices.map(([value]) => value);
  if (!chosen.every(each => known.includes(each))) refuse("choice");
  const inOrder = known.filter(value => chosen.includes(value));
  bounded(field, inOrder.length);
  return inOrder;
}

function number(field, raw) {
  const given = typeof raw === "string" ? NUMBERS[field.type](raw) : raw;
  if (!Number.isSafeInteger(given)) refuse("invalid");
  bounded(field, given);
  return given + 0; // no negative zero
}

const NUMBERS = {
  int: text => INT.test(text) ? Number(text) : null,
  money(text) {
    const [, sign, whole, rest = ""] = MONEY.exec(text) ?? refuse("invalid");
    return Number(sign + whole + rest.padEnd(2, "0"));
  },
  duration(text) {
    const parts = DURATION.exec(text)?.slice(1);
    if (!parts?.some(part => part)) return null;
    const [days, hours, minutes, seconds] = parts.map(part => Number(part ?? 0));
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds;
  },
};

const match = (rule, text, code) => rule.test(text) ? text : refuse(code);

const CHECKS = {
  color: text => match(COLOR, text.replace(/[A-Z]/g, letter => letter.toLowerCase()), "color"),
  email: text => match(EMAIL, text, "email"),
  // +44 (0)20: nobody knows which part to dial
  phone: text => match(PHONE, text.includes("(0)") ? text : text.replace(/[ \u00a0()./-]/g, ""), "phone"),
  url: text => match(URL_RULE, text, "url"),
  date(text) {
    const [year, month, day] = (DATE.exec(text) ?? refuse("date")).slice(1).map(Number);
    const leap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
    return year >= 1 && day >= 1 && day <= DAYS[month - 1] + leap ? text : refuse("date");
  },
  time: text => match(TIME, text, "time"),
};

function file(field, raw) {
  const [, bytes, end] = FILE.exec(raw) ?? refuse("invalid");
  if ((bytes.length + end.length) % 4) refuse("invalid");
  bounded(field, Math.floor(bytes.length * 3 / 4));
  return raw;
}

function bounded(field, count) {
  if (field.min != null && count < field.min) refuse("too_small");
  if (field.max != null && count > field.max) refuse("too_big");
}

// One byte more than is allowed is enough for clean() to say that it is too big.
function dataUrl(chosen, max) {
  if (!chosen?.name) return null;
  const type = /^[a-z0-9][a-z0-9.+-]*\/[a-z0-9][a-z0-9.+-]*$/.test(chosen.type) ? chosen.type : "application/octet-stream";
  const reader = new FileReader();
  reader.readAsDataURL(chosen.slice(0, max + 1, type));
  return new Promise((done, failed) => {
    reader.onload = () => done(reader.result);
    reader.onerror = () => failed(reader.error);
  });
}
