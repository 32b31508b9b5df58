import assert from "node:assert/strict";
import { journey } from "./support/browser.mjs";
import { look } from "./support/look.mjs";
import { addClient, button, copySecret, freshName, isAt, link, row, token } from "./support/steps.mjs";

journey("secret emergency: no leaves it; yes deletes it at once, with a replacement", { as: "contoso" }, async ({ page }) => {
  const name = freshName("leaked");
  const { id, secret, path } = await addClient(page, name);
  assert.equal(await token(id, secret), 200);
  await page.goto(`${path}/secrets/1`);
  await link(page, "Delete in an emergency").click();
  await isAt(page, /in an emergency/);
  await look(page, "secret_emergency");
  await link(page, "No").click();
  assert.equal(await token(id, secret), 200);
  await page.goto(`${path}/secrets/1/emergency`);
  await button(page, "Yes, delete it now").click();
  const second = await copySecret(page);
  await isAt(page, name);
  assert.match(await row(page, 2).textContent(), /✓ signs/);
  assert.equal(await token(id, secret), 401);
  assert.equal(await token(id, second), 200);
});
