import assert from "node:assert/strict";
import { journey } from "./support/browser.mjs";
import { look } from "./support/look.mjs";
import { addClient, addSecret, freshName, isAt, link, row, send } from "./support/steps.mjs";

journey("secret promote: on a date, withdrawn, and now", { as: "contoso" }, async ({ page }) => {
  const { path } = await addClient(page, freshName("promoted"));
  await addSecret(page, path);
  await page.goto(`${path}/secrets/2`);
  await link(page, "Promote it").click();
  await isAt(page, /Promote secret 2/);
  await look(page, "secret_promote");
  await page.getByLabel("On a date").check();
  await page.getByLabel("Date and time (UTC)").fill("2020-01-01T00:00");
  await send(page, "Promote");
  assert.equal(await page.getByLabel("Date and time (UTC)").getAttribute("aria-invalid"), "true");
  const at = new Date(Date.now() + 10 * 86_400_000).toISOString().slice(0, 16);
  await page.getByLabel("Date and time (UTC)").fill(at);
  await send(page, "Promote");
  await page.goto(path);
  assert.match(await row(page, 2).textContent(), /signs .*in \d+ days/);
  await page.goto(`${path}/secrets/2/promote`);
  await look(page, "secret_promote/scheduled");
  await send(page, "Withdraw the date");
  await page.goto(path);
  assert.doesNotMatch(await row(page, 2).textContent(), /signs/);
  await page.goto(`${path}/secrets/2/promote`);
  await page.getByLabel("Now", { exact: true }).check();
  await send(page, "Promote");
  await page.goto(path);
  assert.match(await row(page, 2).textContent(), /✓ signs/);
  assert.equal(await page.getByRole("cell", { name: "✓ signs" }).count(), 1);
});

journey("secret promote: two tabs, of which the second undoes nothing of the first", { as: "contoso" }, async ({ page, context }) => {
  const { path } = await addClient(page, freshName("promoted twice"));
  await addSecret(page, path);
  await addSecret(page, path);
  const other = await context.newPage();
  await other.goto(`${path}/secrets/3/promote`);
  await page.goto(`${path}/secrets/2/promote`);
  for (const tab of [page, other]) {
    await tab.getByLabel("Now", { exact: true }).check();
    await send(tab, "Promote");
  }
  await other.getByText(/changed since/).first().waitFor();
  await page.goto(path);
  assert.match(await row(page, 2).textContent(), /✓ signs/);
});
