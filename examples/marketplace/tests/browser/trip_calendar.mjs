import assert from "node:assert/strict";
import { journey, open } from "./support/browser.mjs";
import { look } from "./support/look.mjs";
import { marketplace } from "./support/marketplace.mjs";
import { button, isAt, link, says } from "./support/steps.mjs";

journey("trip calendar: shows what was sent, calls the platform, and says which client secret works", {}, async ({ page }) => {
  const seller = await open("contoso");
  const its = await seller.newPage();
  await its.goto("/add-ins/trip-calendar");
  await button(its, "Send an event: a trip was booked").click();
  await its.getByText("✓ accepted").first().waitFor();
  await seller.close();

  await page.goto(marketplace.calendar);
  await isAt(page, "Trips");
  await page.getByRole("row").filter({ hasText: "trip.booked" }).first().waitFor();
  await look(page, "trip_calendar");
  await button(page, "Ask for a test message").click();
  await isAt(page, "The platform answered");
  await look(page, "trip_calendar/answered");
  await link(page, "Back to the calendar").click();
  await page.getByRole("row").filter({ hasText: "ping" }).first().waitFor();
  await button(page, "Call the platform").click();
  await page.getByText(/obtained with the (primary|secondary) client secret/).waitFor();
  await link(page, "Client secrets").click();
  await isAt(page, "Client secrets");
  await look(page, "trip_calendar/state");
  assert.ok(await page.getByText("works", { exact: true }).count());
});

journey("trip calendar: says what is wrong while its client ID is suspended", { as: "ann" }, async ({ page, context }) => {
  const id = marketplace.read("trip-calendar.client-id").trim();
  await page.goto(`/operator/clients/${id}`);
  await button(page, "Suspend …").click();
  await button(page, "Yes, suspend it").click();
  await says(page, "It is suspended.");
  const its = await context.newPage();
  await its.goto(marketplace.calendar);
  await button(its, "Call the platform").click();
  await isAt(its, "The call failed");
  await its.getByText("accepts neither client secret").waitFor();
  await look(its, "trip_calendar/failed");
  await page.getByRole("button", { name: /^Resume/ }).click();
  await says(page, "It is resumed");
  await its.goto(marketplace.calendar);
  await button(its, "Call the platform").click();
  await isAt(its, "The platform answered");
});

journey("trip calendar: a context token that is none opens nothing", {}, async ({ page }) => {
  await page.goto(marketplace.calendar);
  const answered = page.waitForResponse((response) => response.url().endsWith("/context"));
  await page.evaluate(() => {
    const form = Object.assign(document.createElement("form"), { method: "post", action: "/context" });
    form.append(Object.assign(document.createElement("input"), { name: "token", value: "e30.e30.e30" }));
    document.body.append(form);
    form.submit();
  });
  assert.equal((await answered).status(), 401);
  await isAt(page, "Not opened");
  await look(page, "trip_calendar/refused");
});
