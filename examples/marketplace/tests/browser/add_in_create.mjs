import assert from "node:assert/strict";
import { journey } from "./support/browser.mjs";
import { look } from "./support/look.mjs";
import { button, freshName, isAt } from "./support/steps.mjs";

journey("add-in create: a name is needed", { as: "contoso" }, async ({ page }) => {
  await page.goto("/add-ins/new");
  await look(page, "add_in_create");
  await button(page, "Create").click();
  assert.equal(await page.getByLabel("Name").getAttribute("aria-invalid"), "true");
  await look(page, "add_in_create/refused");
  const name = freshName("created");
  await page.getByLabel("Name").fill(name);
  await button(page, "Create").click();
  await isAt(page, name);
});
