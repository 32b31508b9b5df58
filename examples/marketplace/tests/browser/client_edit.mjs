import assert from "node:assert/strict";
import { journey } from "./support/browser.mjs";
import { look } from "./support/look.mjs";
import { addClient, freshName, isAt, link, send } from "./support/steps.mjs";

journey("client edit: two tabs, of which the second undoes nothing of the first", { as: "contoso" }, async ({ page, context }) => {
  const { path } = await addClient(page, freshName("edited"));
  const other = await context.newPage();
  for (const tab of [page, other]) await tab.goto(`${path}/edit`);
  await look(page, "client_edit");
  const name = freshName("renamed");
  await page.getByLabel("Friendly client ID name").fill(name);
  await send(page, "Save");
  await isAt(page, name);
  await other.getByLabel("App domain").fill("other.contoso.com");
  await send(other, "Save");
  await other.getByText(/changed since/).first().waitFor();
  await page.goto(path);
  await isAt(page, name);
  await page.getByText("app.contoso.com", { exact: true }).waitFor();
});

journey("client edit: what is wrong stands beside its field, and cancel leads back", { as: "contoso" }, async ({ page }) => {
  const name = freshName("kept");
  const { path } = await addClient(page, name);
  await page.goto(`${path}/edit`);
  await page.getByLabel("App domain").fill("https://x");
  await send(page, "Save");
  assert.equal(await page.getByLabel("App domain").getAttribute("aria-invalid"), "true");
  await look(page, "client_edit/refused");
  await link(page, "Cancel").click();
  await isAt(page, name);
});
