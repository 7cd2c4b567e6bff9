// Figures for people, as the report writes them. null is a dash.

const DASH = "-";

const isNumber = (value) => typeof value === "number" && Number.isFinite(value);

/// Three digits that count.
function three(value) {
  const size = Math.abs(value);
  if (size >= 100) return value.toFixed(0);
  return value.toFixed(size >= 10 ? 1 : 2);
}

const count = (value) => (isNumber(value) ? Math.round(value).toLocaleString("en-US") : DASH);

function micros(us) {
  if (!isNumber(us)) return DASH;
  if (us < 0.9995) return `${three(us * 1e3)} ns`;
  if (us < 999.5) return `${three(us)} us`;
  if (us < 999500) return `${three(us / 1e3)} ms`;
  return `${three(us / 1e6)} s`;
}

/// 0.0123: 1.23 %.
function percent(share) {
  if (!isNumber(share)) return DASH;
  const value = share * 100;
  if (value === 0 || value === 100) return `${value} %`;
  if (value > 99 && value < 100) return `${Math.min(99.99, Math.floor(value * 100) / 100)} %`;
  return `${value < 0.01 ? "<0.01" : three(value)} %`;
}

function perSecond(rate) {
  if (!isNumber(rate)) return DASH;
  return `${rate >= 1000 ? count(rate) : +three(rate)}/s`;
}

function bytes(size) {
  if (!isNumber(size)) return DASH;
  const units = ["B", "kB", "MB", "GB"];
  let at = 0;
  for (; size >= 1000 && at < units.length - 1; at++) size /= 1000;
  return `${at === 0 ? Math.round(size) : three(size)} ${units[at]}`;
}

/// As the document names its units.
function inUnit(value, unit) {
  if (!isNumber(value)) return DASH;
  const units = { us: micros, s: (length) => micros(length * 1e6), share: percent, per_s: perSecond, bytes, percent: (part) => `${three(part)} %`, count };
  return (units[unit] || ((plain) => String(+plain.toPrecision(4))))(value);
}

/// 75: 1:15 min.
function seconds(length) {
  if (!isNumber(length)) return DASH;
  if (length < 60) return `${+length.toFixed(length < 10 ? 1 : 0)} s`;
  const whole = Math.round(length);
  const parts = (amount, unit) => {
    const rest = amount % 60;
    return `${Math.floor(amount / 60)}${rest ? `:${String(rest).padStart(2, "0")}` : ""} ${unit}`;
  };
  return whole < 3600 ? parts(whole, "min") : parts(Math.round(whole / 60), "h");
}

/// An instant in this reader's own time.
function when(rfc3339) {
  const at = new Date(rfc3339 || NaN);
  if (Number.isNaN(at.getTime())) return DASH;
  const pad = (value) => String(value).padStart(2, "0");
  const day = `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}`;
  return `${day} ${pad(at.getHours())}:${pad(at.getMinutes())}`;
}

/// A figure beside what it was asked to be: how good it is.
const badge = (word) => make("span", { class: `badge ${word || ""}` }, word || DASH);

