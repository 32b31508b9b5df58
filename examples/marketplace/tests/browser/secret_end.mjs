import assert from "node:assert/strict";
import { journey } from "./support/browser.mjs";
import { look } from "./support/look.mjs";
import { addClient, addSecret, button, freshName, isAt, link, row, send } from "./support/steps.mjs";

const inDays = (days) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 16);

journey("secret end: moved earlier with a plan, no and yes, and never past the end it was issued with", { as: "contoso" }, async ({ page }) => {
  const { path } = await addClient(page, freshName("shortened"));
  await addSecret(page, path);
  const ask = async (days) => {
    await page.goto(`${path}/secrets/2`);
    await page.getByLabel("New end (UTC)").fill(inDays(days));
    await button(page, "Show what would happen").click();
  };
  await ask(40);
  await look(page, "secret_end");
  await link(page, "No").click();
  await isAt(page, "Secret 2");
  await ask(40);
  await send(page, "Yes");
  await page.goto(path);
  assert.match(await row(page, 2).textContent(), /in (39|40) days/);
  await ask(1000);
  await page.getByText("Nothing was changed").first().waitFor();
  await page.goto(path);
  assert.match(await row(page, 2).textContent(), /in (39|40) days/);
});
