import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { journey } from "./support/browser.mjs";
import { look } from "./support/look.mjs";
import { button } from "./support/steps.mjs";

journey("operator expiry: what ends when, and the same as a file", { as: "ann" }, async ({ page }) => {
  await page.goto("/operator/expiry");
  await look(page, "operator_expiry");
  await page.getByLabel("Secrets that end").selectOption("90");
  await button(page, "Show").click();
  await page.waitForURL(/within=90/);
  assert.equal(await page.getByLabel("Secrets that end").inputValue(), "90");
  const rows = await page.getByRole("rowheader").count();
  const downloading = page.waitForEvent("download");
  await page.getByRole("link", { name: "Export as CSV" }).click();
  const download = await downloading;
  assert.equal(download.suggestedFilename(), "expiry-90.csv");
  const lines = readFileSync(await download.path(), "utf8").trimEnd().split("\r\n");
  assert.match(lines[0], /^ends,seller,client_id/);
  assert.equal(lines.length - 1, rows);
  const ends = lines.slice(1).map((line) => line.split(",")[0]);
  assert.deepEqual(ends, ends.toSorted());
  await page.getByLabel("Secrets that end").selectOption("ended");
  await button(page, "Show").click();
  await look(page, "operator_expiry/ended");
});
