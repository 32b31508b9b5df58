import assert from "node:assert/strict";
import { journey } from "./support/browser.mjs";
import { look } from "./support/look.mjs";
import { button, isAt, link } from "./support/steps.mjs";

journey("operator clients: any client ID is found by what is at hand", { as: "ann" }, async ({ page }) => {
  await page.goto("/");
  await isAt(page, "All client IDs");
  await look(page, "operator_clients");
  const find = async (text) => {
    await page.getByLabel("Search").fill(text);
    await button(page, "Search").click();
  };
  await find("parcel");
  const id = await page.getByRole("rowheader").locator(".mono").textContent();
  for (const text of [id, "parcel-tracker", "parcels.fabrikam", "PARCEL TRACK"]) {
    await find(text);
    assert.equal(await page.getByRole("rowheader").count(), 1, text);
    assert.ok(await link(page, "parcel tracker").isVisible());
  }
  await find("fabrikam");
  assert.ok((await page.getByRole("rowheader").count()) >= 2);
  await find("no such thing");
  await page.getByRole("heading", { name: "Nothing has “no such thing” in it" }).waitFor();
  await look(page, "operator_clients/empty");
  await page.getByRole("link", { name: "show all client IDs" }).click();
  const seen = new Set();
  for (;;) {
    for (const name of await page.getByRole("rowheader").allTextContents()) seen.add(name);
    if (!(await link(page, "Next page").count())) break;
    const next = await link(page, "Next page").getAttribute("href");
    await link(page, "Next page").click();
    await page.waitForURL((url) => url.href.endsWith(next));
  }
  assert.ok(seen.size >= 15, `${seen.size}`);
});
