import assert from "node:assert/strict";
import { journey } from "./support/browser.mjs";
import { look } from "./support/look.mjs";
import { button, isAt, link } from "./support/steps.mjs";

journey("sign in: a name that nobody has is kept, and the session gets another ID", {}, async ({ page, context }) => {
  await page.goto("/clients");
  await isAt(page, "Sign in");
  await look(page, "sign_in");
  await page.getByLabel("Name").fill("nobody");
  await button(page, "Sign in").click();
  assert.equal(await page.getByLabel("Name").inputValue(), "nobody");
  assert.equal(await page.getByLabel("Name").getAttribute("aria-invalid"), "true");
  await look(page, "sign_in/refused");
  const before = await context.cookies();
  await page.getByLabel("Name").fill("fabrikam");
  await page.keyboard.press("Enter");
  await isAt(page, "Client IDs");
  const after = await context.cookies();
  assert.notDeepEqual(after.map((one) => one.value), before.map((one) => one.value));
  assert.ok(after.every((one) => one.httpOnly && one.sameSite === "Lax"));

  await page.goto("/operator/clients");
  await isAt(page, "Not for this account");
  await look(page, "failure");
  await page.goto("/clients");
  await button(page, "Sign out").click();
  await isAt(page, "Sign in");
  await page.goBack();
  await isAt(page, "Sign in");
});

journey("sign in: a click on an account that is offered", { javaScriptEnabled: false }, async ({ page }) => {
  await page.goto("/");
  await button(page, "operator ann").click();
  await isAt(page, "All client IDs");
  await link(page, "Leaks").click();
  await isAt(page, "Leaks");
});
