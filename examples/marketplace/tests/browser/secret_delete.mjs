import assert from "node:assert/strict";
import { journey } from "./support/browser.mjs";
import { look } from "./support/look.mjs";
import { addClient, addSecret, button, freshName, isAt, link, row, says, token } from "./support/steps.mjs";

journey("secret delete: the last one, or one that was just used, cannot be; another can, no and yes", { as: "contoso" }, async ({ page }) => {
  const { id, secret, path } = await addClient(page, freshName("deleted"));
  await page.goto(`${path}/secrets/1/delete`);
  await page.getByRole("alert").filter({ hasText: "This cannot be done now" }).waitFor();
  await look(page, "secret_delete/last");
  await link(page, "Back").click();
  const second = await addSecret(page, path);
  assert.equal(await token(id, second), 200);
  await page.goto(`${path}/secrets/2/delete`);
  await page.getByRole("alert").filter({ hasText: "used" }).waitFor();
  await page.goto(`${path}/secrets/1/delete`);
  await page.getByText(/secret 2 signs next/).waitFor();
  await look(page, "secret_delete");
  await link(page, "No").click();
  assert.match(await row(page, 1).textContent(), /✓ signs/);
  await page.goto(`${path}/secrets/1/delete`);
  await button(page, "Yes").click();
  await says(page, "Secret 1 was deleted.");
  assert.match(await row(page, 2).textContent(), /✓ signs/);
  assert.equal(await token(id, secret), 401);
  assert.equal(await token(id, second), 200);
});

journey("secret delete: two tabs that delete the same secret", { as: "contoso" }, async ({ page, context }) => {
  const name = freshName("deleted twice");
  const { path } = await addClient(page, name);
  await addSecret(page, path);
  const other = await context.newPage();
  for (const tab of [page, other]) await tab.goto(`${path}/secrets/2/delete`);
  await button(page, "Yes").click();
  await says(page, "Secret 2 was deleted.");
  await button(other, "Yes").click();
  await isAt(other, name);
  await says(other, "Nothing was changed.");
  assert.equal(await other.getByRole("rowheader").count(), 1);
});
