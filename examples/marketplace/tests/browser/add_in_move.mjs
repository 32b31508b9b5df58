import assert from "node:assert/strict";
import { journey } from "./support/browser.mjs";
import { associate, createAddIn } from "./support/add_ins.mjs";
import { look } from "./support/look.mjs";
import { addClient, button, freshName, isAt, link } from "./support/steps.mjs";

journey("add-in move: to another client ID in one step; cancel leaves it", { as: "contoso" }, async ({ page }) => {
  const [one, other, addIn] = ["move from", "move to", "moved"].map(freshName);
  await addClient(page, one);
  await addClient(page, other);
  const path = await createAddIn(page, addIn);
  await associate(page, one);
  await link(page, "Move to another client ID").click();
  await look(page, "add_in_move");
  await link(page, "Cancel").click();
  await isAt(page, addIn);
  await page.goto(`${path}/move`);
  await button(page, "Move").click();
  assert.equal(await page.getByLabel("Other client ID").getAttribute("aria-invalid"), "true");
  await page.getByLabel("Other client ID").selectOption({ label: other });
  await button(page, "Move").click();
  await isAt(page, addIn);
  await page.getByText("It uses client ID").getByRole("link", { name: other }).waitFor();
});
