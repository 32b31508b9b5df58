import assert from "node:assert/strict";
import { journey } from "./support/browser.mjs";
import { look } from "./support/look.mjs";
import { marketplace } from "./support/marketplace.mjs";
import { button, isAt } from "./support/steps.mjs";

journey("add-in open: the trip calendar in a frame, opened with a context token", { as: "contoso" }, async ({ page }) => {
  await page.goto("/add-ins/trip-calendar/open");
  await isAt(page, "Trip calendar");
  const frame = page.frameLocator("iframe");
  await frame.getByRole("heading", { name: "Trips of contoso" }).waitFor();
  await frame.getByText(/context token is signed with the secret \d+/).waitFor();
  await look(page, "add_in_open");
  const answer = await page.request.get(marketplace.calendar);
  assert.match(answer.headers()["content-security-policy"], /frame-ancestors 'none'/);
  const cookies = await page.context().cookies(marketplace.calendar);
  assert.deepEqual(cookies, [], "the session does not go to the add-in");
});

journey("add-in open: without scripts a click shows it", { as: "contoso", javaScriptEnabled: false }, async ({ page }) => {
  await page.goto("/add-ins/trip-calendar/open");
  await button(page, "Show the add-in").click();
  await page.frameLocator("iframe").getByRole("heading", { name: "Trips of contoso" }).waitFor();
});
