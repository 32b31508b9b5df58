import assert from "node:assert/strict";
import { journey, open } from "./support/browser.mjs";
import { look } from "./support/look.mjs";
import { addClient, button, freshName, isAt, says, token } from "./support/steps.mjs";

journey("operator client: suspended, which its seller cannot lift, and resumed", { as: "ann" }, async ({ page }) => {
  const seller = await open("contoso");
  const its = await seller.newPage();
  const name = freshName("watched");
  const { id, secret, path } = await addClient(its, name);
  await page.goto(`/operator/clients/${id}`);
  await isAt(page, name);
  await look(page, "operator_client");
  const dialog = page.getByRole("dialog", { name: `Suspend ${name} of contoso?` });
  await button(page, "Suspend …").click();
  await dialog.waitFor();
  await look(page, "operator_client/dialog");
  await dialog.getByRole("button", { name: "No" }).click();
  await dialog.waitFor({ state: "hidden" });
  assert.equal(await token(id, secret), 200);
  await button(page, "Suspend …").click();
  await button(page, "Yes, suspend it").click();
  await says(page, "It is suspended.");
  await look(page, "operator_client/suspended");
  assert.equal(await token(id, secret), 401);
  await its.goto(path);
  await its.getByText("Ask the operators of the marketplace to resume it.").waitFor();
  assert.equal(await button(its, "Resume this client ID").count(), 0);
  await button(page, `Resume ${name}`).click();
  await says(page, "It is resumed");
  assert.equal(await token(id, secret), 200);
  await seller.close();
});

journey("operator client: transferred with its add-in; what is wrong is said beside the field", { as: "ann" }, async ({ page }) => {
  const [from, to] = [await open("contoso"), await open("fabrikam")];
  const [its, theirs] = [await from.newPage(), await to.newPage()];
  const name = freshName("transferred");
  const { id, secret, path } = await addClient(its, name);
  await page.goto(`/operator/clients/${id}`);
  for (const [typed, problem] of [["nobody", "There is no seller"], ["contoso", "owns the client ID already"], ["", ""]]) {
    await page.getByLabel("Seller", { exact: true }).fill(typed);
    await button(page, "Transfer").click();
    await page.locator("#to-error").filter({ hasText: problem }).waitFor();
    assert.equal(await page.getByLabel("Seller", { exact: true }).inputValue(), typed);
  }
  await look(page, "operator_client/refused");
  await page.getByLabel("Seller", { exact: true }).fill("fabrikam");
  await button(page, "Transfer").click();
  await says(page, "It belongs to fabrikam now");
  assert.equal((await its.goto(path)).status(), 404);
  await theirs.goto(path);
  await isAt(theirs, name);
  assert.equal(await token(id, secret), 200);
  await addClient(its, name);
  await page.goto(`/operator/clients/${id}`);
  await page.getByLabel("Seller", { exact: true }).fill("contoso");
  await button(page, "Transfer").click();
  await page.locator("#to-error").filter({ hasText: "another client ID of this friendly name" }).waitFor();
  for (const one of [from, to]) await one.close();
});
