// The rules of fields.py for what never reaches the server: check-in answers, and messages from other pages.

const LONGEST = { text: 200, long: 4000, signature: 60000, email: 254, phone: 40, url: 2000, file: 200 };
const RULES = {
  email: [/^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9-]+(\.[a-zA-Z0-9-]+)+$/, "email"],
  phone: [/^\+?[0-9][0-9 ()./-]{3,38}$/, "phone"],
  color: [/^#[0-9a-f]{6}$/, "color"],
  date: [/^\d{4}-\d{2}-\d{2}$/, "date"],
  time: [/^([01]\d|2[0-3]):[0-5]\d$/, "time"],
};
const wrong = code => { throw { code }; };
const length = value => [...value].length;            // characters, as Python counts them

function text(field, value) {
  if (typeof value !== "string") wrong("invalid");
  value = value.replaceAll("\r\n", "\n");
  if (!field.type || field.type === "text") {
    value = value.trim();
    if (value.includes("\n")) wrong("invalid");
  }
  if (value.includes("\0")) wrong("invalid");
  if (length(value) > (field.max ?? LONGEST[field.type] ?? 200)) wrong("too_long");
  if (field.min !== undefined && length(value) < field.min) wrong("too_short");
  if (field.required && !value) wrong("required");
  if (field.pattern && value && !new RegExp(`^(?:${field.pattern})$`, "u").test(value)) wrong("invalid");
  return value;
}

function number(field, value) {
  if (typeof value === "string" && /^\s*-?\d{1,15}\s*$/.test(value)) value = Number(value);
  if (!Number.isSafeInteger(value)) wrong("invalid");
  if (field.min !== undefined && value < field.min) wrong("too_small");
  if (field.max !== undefined && value > field.max) wrong("too_big");
  return value;
}

function bool(field, value) {
  if ([true, "yes", "on", "true"].includes(value)) return true;
  if ([false, "no", "false"].includes(value)) return field.required ? wrong("required") : false;
  return wrong("invalid");
}

function many(field, value) {
  const chosen = Array.isArray(value) ? value : [value], known = field.choices.map(([k]) => k);
  if (chosen.some(one => !known.includes(one)) || new Set(chosen).size < chosen.length) wrong("choice");
  if (field.min !== undefined && chosen.length < field.min) wrong("too_small");
  if (field.max !== undefined && chosen.length > field.max) wrong("too_big");
  return known.filter(k => chosen.includes(k));
}

function matching(field, value) {
  const [rule, code] = RULES[field.type];
  value = text({ max: LONGEST[field.type] }, field.type === "color" && typeof value === "string" ? value.toLowerCase() : value);
  if (!rule.test(value)) wrong(code);
  if (field.type === "phone" && value.replace(/\D/g, "").length > 15) wrong("phone");
  if (field.type === "date") {
    const day = new Date(`${value}T00:00:00Z`);
    if (value.startsWith("0000") || Number.isNaN(day.getTime()) || day.toISOString().slice(0, 10) !== value) wrong("date");
  }
  return value;
}

function url(field, value) {
  value = text({ max: LONGEST.url }, value);
  if (!/^https?:\/\/[a-zA-Z0-9.-]+(:\d+)?([/?#]\S*)?$/i.test(value)) wrong("url");
  return value;
}

const READ = {
  text, long: text, signature: text, file: text, int: number, money: number, duration: number, bool, url, choices: many,
  choice: (field, value) => field.choices.some(([k]) => k === value) ? value : wrong("choice"),
  email: matching, phone: matching, color: matching, date: matching, time: matching,
};

// {values, errors}: values in the types of their fields; errors: field id -> code, as fields.clean gives them.
export function clean(fields, given) {
  const values = {}, errors = {}, known = new Map(fields.map(field => [field.id, field]));
  if (!given || typeof given !== "object" || Array.isArray(given)) return { values, errors: { "": "invalid" } };
  for (const name of Object.keys(given)) if (!known.has(name)) errors[name.slice(0, 60)] = "unknown";
  for (const field of fields) {
    let value = given[field.id];
    if (field.type === "bool" && (value === undefined || value === null)) {
      value = field.default === undefined || Object.keys(given).length ? false : field.default;
    }
    if (value === undefined || value === null || value === "" || Array.isArray(value) && !value.length) {
      if (field.required) errors[field.id] = "required";
      else values[field.id] = field.default ?? (field.type === "choices" ? [] : null);
      continue;
    }
    try {
      values[field.id] = READ[field.type](field, value);
    } catch (error) {
      if (!error.code) throw error;
      errors[field.id] = error.code;
    }
  }
  return { values, errors };
}

// What a form holds for some fields; names may carry a prefix.
export function read(form, fields, prefix = "") {
  const data = new FormData(form), given = {};
  for (const { id, type } of fields) {
    const name = prefix + id;
    if (type === "choices") given[id] = data.getAll(name);
    else if (data.has(name)) given[id] = data.get(name);
  }
  return given;
}
