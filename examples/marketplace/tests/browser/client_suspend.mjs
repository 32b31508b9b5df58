import assert from "node:assert/strict";
import { journey } from "./support/browser.mjs";
import { look } from "./support/look.mjs";
import { addClient, button, freshName, isAt, link, token } from "./support/steps.mjs";

journey("client suspend: no leaves it, yes stops it, and it can be resumed", { as: "contoso" }, async ({ page }) => {
  const name = freshName("suspended");
  const { id, secret } = await addClient(page, name);
  await link(page, "Suspend this client ID").click();
  await isAt(page, `Suspend “${name}”?`);
  await look(page, "client_suspend");
  await link(page, "No").click();
  await isAt(page, name);
  assert.equal(await token(id, secret), 200);
  await link(page, "Suspend this client ID").click();
  await button(page, "Yes").click();
  await isAt(page, name);
  assert.equal(await token(id, secret), 401);
  await look(page, "client_summary/suspended");
  await button(page, "Resume this client ID").click();
  await isAt(page, name);
  await link(page, "Suspend this client ID").waitFor();
  assert.equal(await token(id, secret), 200);
});
