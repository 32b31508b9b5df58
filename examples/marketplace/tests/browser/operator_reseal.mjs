import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { journey } from "./support/browser.mjs";
import { look } from "./support/look.mjs";
import { marketplace } from "./support/marketplace.mjs";
import { button, says } from "./support/steps.mjs";

journey("operator reseal: a new key, a progress bar without a script, the old key retired", { as: "ann", javaScriptEnabled: false }, async ({ page }) => {
  await page.goto("/operator/reseal");
  await page.getByText("there is nothing to reseal").waitFor();
  await marketplace.stop();
  const keys = marketplace.read("registry.keys").trim();
  marketplace.write("registry.keys", `second:${randomBytes(32).toString("base64")},${keys}`);
  await marketplace.start();
  await page.goto("/operator/reseal");
  await button(page, "Bring all records under the primary key").click();
  await page.getByText(/records were brought under the primary key/).waitFor({ timeout: 30_000 });
  await page.getByText("there is nothing to reseal").waitFor();
  await button(page, "Retire key first").click();
  await says(page, "Nothing is written under first any longer.");
  const retired = page.getByRole("row").filter({ hasText: "first" });
  assert.match(await retired.textContent(), /retired\s*none/);
});

journey("operator reseal: the keys", { as: "ann" }, async ({ page }) => {
  await page.goto("/operator/reseal");
  await look(page, "operator_reseal");
});
