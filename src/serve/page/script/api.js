// The panel's API. What it refuses is thrown as a Refusal.

const API = "/api/v1";

class Refusal extends Error {
  constructor(status, body) {
    super(body.message || `the panel answered with status ${status}`);
    this.status = status;
    this.field = body.field || null;
    this.hint = body.hint || "";
    this.run = body.run ?? null;
  }

  /// The sentence, and what to do.
  said() {
    const hint = this.hint && !this.message.includes(this.hint) ? this.hint : "";
    return hint ? `${this.message.replace(/[.]$/, "")}; ${hint}` : this.message;
  }
}

async function ask(method, path, body) {
  const headers = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const request = { method, headers, credentials: "same-origin", cache: "no-store" };
  if (body !== undefined) request.body = JSON.stringify(body);
  let answer;
  try {
    answer = await fetch(API + path, request);
  } catch {
    throw new Refusal(0, { message: "the panel does not answer; is `blast serve` still running?" });
  }
  if (answer.status === 401 && document.body.dataset.page !== "login") {
    location.assign(`/login?to=${encodeURIComponent(location.pathname + location.search)}`);
  }
  if (!answer.ok) throw new Refusal(answer.status, await answer.json().catch(() => ({})));
  const isJson = (answer.headers.get("Content-Type") || "").includes("json");
  if (answer.status === 204) return null;
  return isJson ? answer.json() : answer.text();
}

const get = (path) => ask("GET", path);

/// A list, alone or under its name.
const listed = (answer, name) => (Array.isArray(answer) ? answer : answer?.[name]) || [];

/// What a page of the program drew, without what could act in it. Its strings were escaped there.
function drawn(text, part) {
  // Before it is read: the policy of this page would complain of them.
  const bare = text.replace(/<(style|script)[\s>][\s\S]*?<\/\1>/gi, "");
  const page = new DOMParser().parseFromString(bare, "text/html");
  for (const element of page.querySelectorAll("script,style,link,meta,base,iframe,object,embed")) element.remove();
  for (const element of page.querySelectorAll("*")) {
    for (const { name } of [...element.attributes]) {
      if (name === "style" || name.startsWith("on")) element.removeAttribute(name);
    }
  }
  const found = part ? page.querySelector(part) : page.body;
  return found ? [...found.childNodes].map((node) => document.importNode(node, true)) : [];
}

