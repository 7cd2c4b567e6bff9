// Who are you, and good-bye.

function startLogin() {
  const form = $("login");
  if (!form) return;
  const refused = form.querySelector(".refused");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    show(refused, "");
    try {
      await ask("POST", "/login", { name: $("login-name").value, password: $("login-password").value });
      location.assign(inside(new URLSearchParams(location.search).get("to")));
    } catch (refusal) {
      show(refused, refusal.said ? refusal.said() : String(refusal));
      $("login-password").value = "";
      $("login-password").focus();
      button.disabled = false;
    }
  });
  $("login-name").focus();
}

/// A page of this panel, and of no other place.
function inside(to) {
  const there = new URL(to || "/", location.origin);
  return there.origin === location.origin ? there.pathname + there.search : "/";
}

function startSignOut() {
  $("sign-out")?.addEventListener("click", async () => {
    await ask("POST", "/logout", {}).catch(() => null);
    location.assign("/login");
  });
}

