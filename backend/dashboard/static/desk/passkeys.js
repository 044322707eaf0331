// Asks the browser for a passkey and sends its answer with the form.
"use strict";

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const kind = form.dataset.passkey;
  const asked = JSON.parse(form.dataset.options).publicKey;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      const publicKey =
        kind === "create"
          ? PublicKeyCredential.parseCreationOptionsFromJSON(asked)
          : PublicKeyCredential.parseRequestOptionsFromJSON(asked);
      const made = await navigator.credentials[kind]({ publicKey });
      form.querySelector("input[name=passkey]").value = JSON.stringify(made.toJSON());
      form.submit();
    } catch {
      form.querySelector(".problem").hidden = false;
    }
  });
}
