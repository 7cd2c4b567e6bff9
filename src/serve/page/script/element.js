// Elements. Whatever is put into one as a string is text: no string becomes markup anywhere.

const $ = (id) => document.getElementById(id);

/// make("td", { class: "n" }, "12"): attributes that are false, null or undefined are left away.
function make(name, attributes = {}, ...content) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...content.flat().filter((part) => part !== null && part !== undefined));
  return element;
}

function fill(element, ...content) {
  element.replaceChildren(...content.flat().filter((part) => part !== null && part !== undefined));
}

/// The same, and nothing where it would say what it says: a selection in it stays.
function refill(element, ...content) {
  const next = make("div", {}, ...content);
  if (next.innerHTML !== element.innerHTML) element.replaceChildren(...next.childNodes);
}

/// Sets text only where it is another: what reads the page aloud is told of changes alone.
function say(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

/// Shows the element with this text, or hides it where there is none.
function show(element, text) {
  element.hidden = !text;
  say(element, text || "");
}

/// Told to who listens rather than looks.
const aloud = (text) => say($("said"), text);

const isAdmin = () => document.body.dataset.role === "admin";

/// Calls once, when nobody called for so long.
function calmly(milliseconds, act) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(act, milliseconds);
  };
}

/// Calls now and then, while somebody looks at the page.
function whileSeen(milliseconds, act) {
  const timer = setInterval(() => document.hidden || act(), milliseconds);
  const back = () => document.hidden || act();
  document.addEventListener("visibilitychange", back);
  return () => {
    clearInterval(timer);
    document.removeEventListener("visibilitychange", back);
  };
}

/// Into the clipboard; over plain http to another host browsers allow only the older way.
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = make("textarea", { class: "unseen", "aria-hidden": "true" });
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}

