import assert from "node:assert/strict";
import { journey } from "./support/browser.mjs";
import { look } from "./support/look.mjs";
import { addClient, button, freshName, isAt, link, rotate, row, token } from "./support/steps.mjs";

journey("client rotate: both client secrets work, the old one signs until it ends", { as: "contoso" }, async ({ page }) => {
  const name = freshName("rotated");
  const { id, secret, path } = await addClient(page, name);
  await link(page, "Rotate with overlap").click();
  await isAt(page, "Rotate with overlap");
  await look(page, "client_rotate");
  await page.getByLabel("Overlap in days").fill("soon");
  await button(page, "Rotate").click();
  assert.equal(await page.getByLabel("Overlap in days").getAttribute("aria-invalid"), "true");
  await look(page, "client_rotate/refused");
  const second = await rotate(page, path);
  await isAt(page, name);
  await page.getByText("A rotation is under way").waitFor();
  assert.match(await row(page, 1).textContent(), /✓ signs/);
  assert.equal(await token(id, secret), 200);
  assert.equal(await token(id, second), 200);

  await page.goto(`${path}/rotate`);
  await page.getByLabel("Overlap in days").fill("30");
  await button(page, "Rotate").click();
  await page.getByRole("alert").getByRole("link", { name: "Call it off" }).waitFor();
  await look(page, "client_rotate/under-way");
});

journey("client rotate: on a date within the overlap", { as: "contoso" }, async ({ page }) => {
  const { path } = await addClient(page, freshName("dated rotation"));
  const at = new Date(Date.now() + 5 * 86_400_000).toISOString().slice(0, 16);
  await page.goto(`${path}/rotate`);
  await page.getByLabel("Overlap in days").fill("30");
  await page.getByLabel("On a date within the overlap").check();
  await page.getByLabel("Date and time (UTC)").fill(at);
  await button(page, "Rotate").click();
  await isAt(page, "Obtain client secret");
  await page.goto(path);
  assert.match(await row(page, 2).textContent(), /signs .*in \d days/);
});
