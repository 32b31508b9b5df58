import assert from "node:assert/strict";
import { journey } from "./support/browser.mjs";
import { associate, createAddIn, TICK } from "./support/add_ins.mjs";
import { look } from "./support/look.mjs";
import { addClient, button, freshName, isAt, says } from "./support/steps.mjs";

journey("add-in overview: the tick, and a client ID by its friendly name", { as: "contoso" }, async ({ page }) => {
  const [client, china, addIn] = ["for add-in", "for China", "ticked"].map(freshName);
  const { path } = await addClient(page, client);
  await addClient(page, china, { china: true });
  await createAddIn(page, addIn);
  assert.ok(!(await page.getByLabel(TICK).isChecked()));
  await look(page, "add_in_overview");
  const offered = await page.getByLabel("Client ID", { exact: true }).locator("option").allTextContents();
  assert.ok(offered.includes(client) && !offered.includes(china));
  await page.getByLabel(TICK).check();
  await button(page, "Save").click();
  await page.locator("#client-error").filter({ hasText: "Choose a client ID" }).waitFor();
  assert.ok(await page.getByLabel(TICK).isChecked());
  await look(page, "add_in_overview/refused");
  await associate(page, client);
  await look(page, "add_in_overview/associated");
  await page.goto(path);
  await page.getByRole("link", { name: addIn }).click();
  await isAt(page, addIn);
});

journey("add-in overview: a signed event is sent to the trip calendar, which accepts it", { as: "contoso" }, async ({ page }) => {
  await page.goto("/add-ins/trip-calendar");
  await button(page, "Send an event: a trip was booked").click();
  await says(page, /./);
  await page.getByRole("row").filter({ hasText: "✓ accepted" }).first().waitFor();
  await look(page, "add_in_overview/events");
});
