// Questions, in the page.

for (const button of document.querySelectorAll("dialog [data-close]")) {
  button.addEventListener("click", () => button.closest("dialog").close());
}

/// Asks once. Resolves to whether it shall be.
function confirmed(title, text, yes) {
  return new Promise((resolve) => {
    const sure = make("button", { class: "danger", type: "button" }, yes);
    const not = make("button", { type: "button" }, "Cancel");
    const dialog = make(
      "dialog",
      { "aria-labelledby": "asked-title", id: "asked" },
      make("h2", { id: "asked-title" }, title),
      make("p", {}, text),
      make("p", { class: "actions" }, sure, not),
    );
    let answer = false;
    sure.addEventListener("click", () => {
      answer = true;
      dialog.close();
    });
    not.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(answer);
    });
    document.body.append(dialog);
    dialog.showModal();
    not.focus();
  });
}

/// A dialog with a form: stays open while `act` refuses, and says why.
function answered(dialog, act) {
  const form = dialog.querySelector("form");
  const refused = dialog.querySelector(".refused");
  show(refused, "");
  form.onsubmit = async (event) => {
    event.preventDefault();
    const button = form.querySelector("[type=submit]");
    button.disabled = true;
    try {
      await act();
      dialog.close();
    } catch (refusal) {
      show(refused, refusal.said ? refusal.said() : String(refusal));
    } finally {
      button.disabled = false;
    }
  };
  dialog.showModal();
}

/// The dialog of label and note; resolves once it is kept.
function askAbout(run) {
  return new Promise((resolve) => {
    $("about-label").value = run.label || "";
    $("about-note").value = run.note || "";
    answered($("about"), async () => {
      const change = { label: $("about-label").value, note: $("about-note").value };
      await ask("PATCH", `/runs/${run.id}`, change);
      resolve(change);
    });
  });
}

async function askDelete(ids) {
  const one = ids.length === 1;
  const title = one ? `Delete run ${ids[0]}?` : `Delete ${ids.length} runs?`;
  const text = `${one ? "Its" : "Their"} figures, intervals and reports are gone for good.`;
  if (!(await confirmed(title, text, "Delete"))) return false;
  if (one) await ask("DELETE", `/runs/${ids[0]}`);
  else await ask("POST", "/runs/delete", { ids });
  return true;
}

