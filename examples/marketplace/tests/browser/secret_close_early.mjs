import assert from "node:assert/strict";
import { journey } from "./support/browser.mjs";
import { look } from "./support/look.mjs";
import { addClient, button, freshName, isAt, link, rotate, token } from "./support/steps.mjs";

journey("secret close early: no goes on, yes ends the old secret now", { as: "contoso" }, async ({ page }) => {
  const name = freshName("closed early");
  const { id, secret, path } = await addClient(page, name);
  const second = await rotate(page, path);
  await link(page, "Close it early").click();
  await look(page, "secret_close_early");
  await link(page, "No").click();
  assert.equal(await page.getByText("A rotation is under way").count(), 1);
  await link(page, "Close it early").click();
  await button(page, "Yes").click();
  await isAt(page, name);
  assert.equal(await token(id, secret), 401);
  assert.equal(await token(id, second), 200);
});
