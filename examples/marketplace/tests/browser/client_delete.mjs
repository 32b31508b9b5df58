import assert from "node:assert/strict";
import { journey } from "./support/browser.mjs";
import { look } from "./support/look.mjs";
import { addClient, button, freshName, isAt, link, says, token } from "./support/steps.mjs";

journey("client delete: the dialog names it, no leaves it, yes deletes all its secrets", { as: "contoso" }, async ({ page }) => {
  const name = freshName("to delete");
  const { id, secret, path } = await addClient(page, name);
  await link(page, "Delete this client ID").click();
  await page.getByText(`Are you sure that you want to delete “${name}”?`).waitFor();
  await look(page, "client_delete");
  await link(page, "No").click();
  await isAt(page, name);
  await link(page, "Delete this client ID").click();
  await button(page, "Yes").click();
  await says(page, `Client ID “${name}” was deleted`);
  assert.equal(await token(id, secret), 401);
  await page.goto(`${path}/trail`);
  await page.getByText("This client ID was deleted.").waitFor();
  await look(page, "client_trail");
  await page.goto(path);
  await page.getByText("Its trail is left.").waitFor();
});

journey("client delete: a plan that has changed is shown again", { as: "contoso" }, async ({ page, context }) => {
  const { path } = await addClient(page, freshName("changed plan"));
  await page.goto(`${path}/delete`);
  const added = await context.request.post(`${path}/secrets/new`, { form: { label: "", years: "1" }, maxRedirects: 0 });
  assert.equal(added.status(), 303);
  await button(page, "Yes").click();
  await page.getByText("Something has changed since you looked").waitFor();
  await look(page, "client_delete/changed");
  await button(page, "Yes").click();
  await says(page, "was deleted");
});
