import assert from "node:assert/strict";
import { journey } from "./support/browser.mjs";
import { look } from "./support/look.mjs";
import { addClient, button, copySecret, freshName, isAt, row, says, tabTo, token } from "./support/steps.mjs";

journey("client add: each field says what is wrong, and keeps what was typed", { as: "contoso" }, async ({ page }) => {
  await page.goto("/clients");
  await page.getByRole("link", { name: "Add a new OAuth client ID" }).click();
  await isAt(page, "Add a new OAuth client ID");
  await look(page, "client_add");
  const typed = { "Friendly client ID name": " ", "App domain": "https://app.contoso.com", "App redirect URL": "app.contoso.com/done" };
  for (const [label, value] of Object.entries(typed)) await page.getByLabel(label).fill(value);
  await page.getByLabel("Client secret valid for").selectOption("3");
  await page.getByLabel(/In China only/).check();
  await button(page, "Generate client ID").click();
  for (const [label, value] of Object.entries(typed)) {
    const field = page.getByLabel(label);
    assert.equal(await field.inputValue(), value);
    assert.equal(await field.getAttribute("aria-invalid"), "true");
    const described = (await field.getAttribute("aria-describedby")).split(" ").pop();
    assert.ok((await page.locator(`#${described}`).textContent()).length > 10);
  }
  assert.equal(await page.getByLabel("Client secret valid for").inputValue(), "3");
  assert.ok(await page.getByLabel(/In China only/).isChecked());
  await look(page, "client_add/refused");
});

journey("client add: a name that is taken is said beside its field", { as: "contoso" }, async ({ page }) => {
  const name = freshName("taken");
  await addClient(page, name);
  await page.goto("/clients/new");
  await page.getByLabel("Friendly client ID name").fill(name.toUpperCase());
  await page.getByLabel("App domain").fill("app.contoso.com");
  await page.getByLabel("App redirect URL").fill("https://app.contoso.com/done");
  await button(page, "Generate client ID").click();
  await page.locator("#friendly_name-error").filter({ hasText: "You have another client ID of this name" }).waitFor();
});

journey("client add: with the keyboard alone, to the deletion of the client ID", { as: "contoso" }, async ({ page }) => {
  const press = async (...keys) => {
    for (const key of keys) await page.keyboard.press(key);
  };
  const name = freshName("keyboard");
  await page.goto("/clients");
  await press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to the content");
  await press("Enter", "Tab", "Enter"); // past the tabs, to the first link of the content
  await isAt(page, "Add a new OAuth client ID");
  for (const [label, text] of [
    ["Friendly client ID name", name],
    ["App domain", "app.contoso.com"],
    ["App redirect URL", "https://app.contoso.com/done"],
  ]) {
    await tabTo(page, label);
    await page.keyboard.type(text);
  }
  await press("Tab", "ArrowDown", "Tab", "ArrowDown", "ArrowUp"); // the lifetime and the availability
  await tabTo(page, "Generate client ID");
  await press("Enter");
  await isAt(page, "Obtain client secret");
  const secret = await page.locator("#client-secret").textContent();
  await tabTo(page, "DONE");
  const dialog = page.getByRole("dialog");
  for (const leave of ["Escape", "Enter"]) {
    await press("Enter");
    await dialog.waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.textContent), "Cancel");
    await press(leave);
    await dialog.waitFor({ state: "hidden" });
    assert.equal(await page.locator("#client-secret").textContent(), secret);
  }
  await press("Enter");
  await dialog.waitFor();
  await tabTo(page, "Yes");
  await press("Enter");
  await isAt(page, name);
  await row(page, 1).getByText(String(new Date().getUTCFullYear() + 2)).waitFor();
  for (const answer of ["No", "Yes"]) {
    await tabTo(page, "Delete this client ID");
    await press("Enter");
    await isAt(page, new RegExp(`Delete client ID “${name}”`));
    await tabTo(page, answer);
    await press("Enter");
    await isAt(page, answer === "No" ? name : "Client IDs");
  }
  await says(page, "was deleted");
});

for (const [how, options] of [
  ["without scripts", { javaScriptEnabled: false }],
  ["on a phone", { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true }],
]) {
  journey(`client add: ${how}, to a client secret that works`, { as: "contoso", ...options }, async ({ page }) => {
    const { id, secret, path } = await addClient(page, freshName("everywhere"));
    assert.equal(await token(id, secret), 200);
    await page.getByRole("link", { name: "Add a new client secret" }).click();
    await button(page, "Generate client secret").click();
    const second = await copySecret(page);
    assert.equal(await token(id, second), 200);
    await page.goto(`${path}/secrets/1/emergency`);
    await page.getByLabel(/Issue a replacement/).uncheck();
    await button(page, "Yes, delete it now").click();
    await isAt(page, /everywhere/);
    assert.equal(await token(id, secret), 401);
    assert.equal(await token(id, second), 200);
  });
}
