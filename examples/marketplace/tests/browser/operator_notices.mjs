import assert from "node:assert/strict";
import { journey } from "./support/browser.mjs";
import { look } from "./support/look.mjs";
import { button, says } from "./support/steps.mjs";

const inDays = (days) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 16);

journey("operator notices: each becomes one mail, once", { as: "ann" }, async ({ page }) => {
  await page.goto("/operator/notices");
  await look(page, "operator_notices");
  const write = async (until) => {
    await page.getByLabel("Up to").fill(until);
    await button(page, "Write the mails").click();
  };
  const mails = () => page.getByRole("article").count();
  await write(inDays(280));
  await says(page, /mails? (was|were) written/);
  const first = await mails();
  assert.ok(first > 0);
  const texts = await page.getByRole("article").allTextContents();
  assert.equal(new Set(texts).size, texts.length);
  await look(page, "operator_notices/written");
  await write(inDays(279));
  await page.locator("#until-error").filter({ hasText: "The notices up to then were given." }).waitFor();
  assert.equal(await mails(), first);
  await write(inDays(281));
  await says(page, /written/);
});
