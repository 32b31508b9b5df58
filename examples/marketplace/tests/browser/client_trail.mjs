import assert from "node:assert/strict";
import { journey } from "./support/browser.mjs";
import { look } from "./support/look.mjs";
import { addClient, addSecret, freshName } from "./support/steps.mjs";

journey("client trail: all that happened, newest first, and verified", { as: "contoso" }, async ({ page }) => {
  const { path } = await addClient(page, freshName("trailed"));
  await addSecret(page, path, "the second");
  await page.goto(`${path}/trail`);
  await page.getByText("✓ verified").waitFor();
  const rows = await page.getByRole("row").allTextContents();
  assert.match(rows[1], /secret 2/i);
  assert.ok(rows.every((text, i) => i === 0 || text.includes("contoso")), rows.join("\n"));
  await look(page, "client_trail");
});
