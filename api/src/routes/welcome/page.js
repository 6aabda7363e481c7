"use strict";
const kinds = {
  setup: { what: "Become the first administrator.", to: "../v1/setup", link: "link", fields: ["name", "login", "password"] },
  invitation: { what: "You have been asked in. If you have a login already, give its password.", to: "../v1/invitations/accept", link: "invitation", fields: ["name", "password"] },
  password: { what: "Set your password. All of your sessions end.", to: "../v1/password", link: "link", fields: ["password"] },
};
const at = (id) => document.getElementById(id);
const kind = kinds[location.pathname.split("/").pop()];
const link = location.hash.slice(1);
// Nobody who looks over a shoulder, or into the history, is to find it.
history.replaceState(null, "", location.pathname);
at("what").textContent = kind.what;
for (const label of document.querySelectorAll("label")) {
  if (!kind.fields.includes(label.dataset.for)) label.remove();
}
at("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const body = { [kind.link]: link };
  for (const field of kind.fields) if (at(field).value) body[field] = at(field).value;
  at("told").textContent = "…";
  try {
    const answer = await fetch(kind.to, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
    const told = await answer.json();
    if (answer.ok) {
      at("form").remove();
      at("told").textContent = "Done. Sign in with: gantry login --url " + location.origin + " " + (body.login || "YOUR-LOGIN");
    } else {
      const errors = (told.errors || []).map((error) => error.field + " " + error.problem + ": " + error.fix);
      at("told").textContent = [told.detail || told.title, ...errors].join("; ");
    }
  } catch {
    at("told").textContent = "The API does not answer. Try again.";
  }
});
