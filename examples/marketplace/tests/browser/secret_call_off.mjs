import assert from "node:assert/strict";
import { journey } from "./support/browser.mjs";
import { look } from "./support/look.mjs";
import { addClient, button, freshName, isAt, link, rotate, says, token } from "./support/steps.mjs";

journey("secret call off: no goes on, yes brings the old secret back", { as: "contoso" }, async ({ page }) => {
  const name = freshName("called off");
  const { id, secret, path } = await addClient(page, name);
  const second = await rotate(page, path);
  await link(page, "Call it off").click();
  await look(page, "secret_call_off");
  await link(page, "No").click();
  await page.getByText("A rotation is under way").waitFor();
  await link(page, "Call it off").click();
  await button(page, "Yes").click();
  await says(page, "The rotation was called off");
  await isAt(page, name);
  assert.equal(await page.getByRole("rowheader").count(), 1);
  assert.equal(await token(id, secret), 200);
  assert.equal(await token(id, second), 401);
});

journey("secret call off: not while the new secret is in use", { as: "contoso" }, async ({ page }) => {
  const { id, path } = await addClient(page, freshName("in use"));
  const second = await rotate(page, path);
  assert.equal(await token(id, second), 200);
  await page.goto(`${path}/secrets/2/call-off`);
  await page.getByRole("alert").filter({ hasText: "This cannot be done now" }).waitFor();
  await link(page, "Close the rotation early").click();
  await isAt(page, /early/);
});
