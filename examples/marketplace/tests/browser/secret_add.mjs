import assert from "node:assert/strict";
import { journey } from "./support/browser.mjs";
import { look } from "./support/look.mjs";
import { addClient, addSecret, button, freshName, row, token } from "./support/steps.mjs";

journey("secret add: the one that signs goes on signing, and at most five run", { as: "contoso" }, async ({ page }) => {
  const { id, path } = await addClient(page, freshName("several"));
  await page.goto(`${path}/secrets/new`);
  await look(page, "secret_add");
  await page.getByLabel("Label (optional)").fill("x".repeat(101));
  await button(page, "Generate client secret").click();
  assert.equal(await page.getByLabel("Label (optional)").getAttribute("aria-invalid"), "true");
  await look(page, "secret_add/refused");
  for (let i = 2; i <= 5; i++) assert.equal(await token(id, await addSecret(page, path, `number ${i}`)), 200);
  assert.match(await row(page, 1).textContent(), /✓ signs/);
  await page.goto(`${path}/secrets/new`);
  await button(page, "Generate client secret").click();
  await page.getByRole("alert").waitFor();
  assert.equal(await page.getByText("Obtain client secret").count(), 0);
});
