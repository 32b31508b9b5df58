import assert from "node:assert/strict";
import { journey } from "./support/browser.mjs";
import { look } from "./support/look.mjs";
import { addClient, addSecret, freshName, isAt, link, send, token } from "./support/steps.mjs";

journey("secret disable: no, yes, and enabled again; the last one cannot be", { as: "contoso" }, async ({ page }) => {
  const name = freshName("disabled");
  const { id, path } = await addClient(page, name);
  const second = await addSecret(page, path);
  await page.goto(`${path}/secrets/2`);
  await link(page, "Disable").click();
  await look(page, "secret_disable");
  await link(page, "No").click();
  assert.equal(await token(id, second), 200);
  await page.goto(`${path}/secrets/2/disable`);
  await send(page, "Yes");
  await isAt(page, name);
  assert.equal(await token(id, second), 401);
  await page.goto(`${path}/secrets/1/disable`);
  await page.getByRole("alert").filter({ hasText: "This cannot be done now" }).waitFor();
  await look(page, "secret_disable/last");
  await page.goto(`${path}/secrets/2`);
  await send(page, "Enable");
  assert.equal(await token(id, second), 200);
});
