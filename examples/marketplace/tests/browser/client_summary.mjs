import assert from "node:assert/strict";
import { journey } from "./support/browser.mjs";
import { look } from "./support/look.mjs";
import { addClient, addSecret, button, freshName, isAt, link, row } from "./support/steps.mjs";

journey("client summary: which secret signs and why, the timeline, what to look at, the trail", { as: "contoso" }, async ({ page }) => {
  await page.goto("/clients");
  for (const name of ["mail helper", "expense reports", "photo archive", "old booking tool"]) {
    await page.goto("/clients");
    await page.getByLabel("Search by friendly name").fill(name);
    await button(page, "Search").click();
    await link(page, name).click();
    await isAt(page, name);
    await page.getByText("✓ verified").waitFor();
    assert.equal(await page.getByRole("cell", { name: "✓ signs" }).count(), 1);
    await page.getByText(/signs, because/).first().waitFor();
    await page.locator("svg.timeline").waitFor();
    await look(page, `client_summary/${name.replaceAll(" ", "-")}`);
  }
});

journey("client summary: dates are words, with the exact value at hand", { as: "contoso" }, async ({ page }) => {
  const { path } = await addClient(page, freshName("dated"));
  await addSecret(page, path, "deploy of March");
  await row(page, "2 · deploy of March").waitFor();
  for (const time of await page.locator("main time").all()) {
    assert.match(await time.getAttribute("datetime"), /^\d{4}-\d\d-\d\dT/);
    assert.match(await time.getAttribute("title"), /UTC/);
  }
});

journey("client summary: cancel leads back, and nothing was changed", { as: "contoso" }, async ({ page }) => {
  const name = freshName("cancelled");
  const { path } = await addClient(page, name);
  const events = async () => {
    await page.goto(`${path}/trail`);
    return page.locator("tbody").getByRole("row").count();
  };
  const before = await events();
  for (const form of ["rotate", "secrets/new", "secrets/1/promote", "edit"]) {
    await page.goto(`${path}/${form}`);
    await link(page, "Cancel").click();
    await isAt(page, name);
  }
  assert.equal(await events(), before);
});
