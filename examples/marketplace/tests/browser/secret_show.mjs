import assert from "node:assert/strict";
import { journey } from "./support/browser.mjs";
import { look } from "./support/look.mjs";
import { addClient, freshName, isAt } from "./support/steps.mjs";

journey("secret show: what is kept of a secret, which is not its text", { as: "contoso" }, async ({ page }) => {
  const { secret, path } = await addClient(page, freshName("one secret"));
  await page.getByRole("link", { name: "Manage secret 1" }).click();
  await isAt(page, "Secret 1");
  assert.ok(!(await page.content()).includes(secret));
  await page.getByText(`…${secret.slice(-4)}`).or(page.locator("dd code")).first().waitFor();
  await look(page, "secret_show");
  const missing = await page.goto(`${path}/secrets/99`);
  assert.ok(missing.status() === 404 || missing.url().endsWith(path));
});
