// A rotation under load: the trip calendar calls and receives while a script rotates its client secret ten times, and calls one off.
import assert from "node:assert/strict";
import { journey } from "./support/browser.mjs";
import { setTimeout as pause } from "node:timers/promises";
import { marketplace } from "./support/marketplace.mjs";
import { button, link, rotate } from "./support/steps.mjs";

/** Runs something over and over, and returns how to stop it: that says how often it ran, or throws what it threw. */
function over(run) {
  let [count, going, fault] = [0, true, null];
  const ended = (async () => {
    while (going && !fault) {
      await run().catch((error) => (fault = error));
      count += 1;
      await pause(50); // the platform limits the rate
    }
  })();
  return async () => {
    going = false;
    await ended;
    if (fault) throw fault;
    return count;
  };
}

async function until(holds) {
  for (let i = 0; i < 400; i++) {
    if (holds(await marketplace.calendarState())) return;
    await pause(25);
  }
  throw new Error("the trip calendar did not take the client secret");
}

journey("under load: ten rotations and one called off, and not one call or event fails", { as: "contoso" }, async ({ page, context }) => {
  const id = marketplace.read("trip-calendar.client-id").trim();
  const path = `/clients/${id}`;
  const before = await marketplace.calendarState();
  const call = async () => {
    const answer = await fetch(`${marketplace.calendar}/call`, { method: "POST" });
    assert.equal(answer.status, 200, await answer.text());
  };
  const event = async () => {
    const answer = await context.request.post("/add-ins/trip-calendar/events", { maxRedirects: 0 });
    assert.equal(answer.status(), 303);
  };
  const ask = async () => {
    const answer = await fetch(`${marketplace.calendar}/message`, { method: "POST" });
    assert.equal(answer.status, 200, await answer.text());
  };
  const stops = [call, call, event, ask].map(over);

  const counts = [];
  try {
    await rotateTenTimes(page, path);
  } finally {
    for (const stop of stops) counts.push(await stop());
  }
  assert.ok(counts.every((count) => count >= 10), `${counts}`);
  const after = await marketplace.calendarState();
  assert.equal(after.calls.failed, before.calls.failed);
  assert.equal(after.messages.refused, before.messages.refused);
  assert.ok(after.calls.succeeded - before.calls.succeeded >= counts[0] + counts[1] + counts[3]);
  assert.ok(after.messages.accepted - before.messages.accepted >= counts[2] + counts[3]);
  await page.goto("/add-ins/trip-calendar");
  assert.equal(await page.getByText("✗ failed").count(), 0);
});

async function rotateTenTimes(page, path) {
  let current = marketplace.read("trip-calendar.primary").trim();
  const handOver = async (next) => {
    const before = Date.now();
    await marketplace.handOver("primary", current); // what works becomes the primary one
    await marketplace.handOver("secondary", next);
    await until(({ ring }) => ring.secondary && Date.parse(ring.secondary.held_since) >= before);
  };
  for (let i = 1; i <= 10; i++) {
    let next = await rotate(page, path);
    await handOver(next);
    if (i === 5) {
      await link(page, "Call it off").click();
      await button(page, "Yes").click();
      await page.getByText("A rotation is under way").waitFor({ state: "detached" });
      next = await rotate(page, path);
      await handOver(next);
    }
    await deleteReplaced(page, path);
    current = next;
  }
}

/** Deletes the old secret in an emergency: it was used a moment ago, so calmly it would take a week. */
async function deleteReplaced(page, path) {
  await page.goto(path);
  const old = page.getByRole("row").filter({ hasText: "replaced by secret" });
  await old.getByRole("link", { name: /Manage/ }).click();
  await link(page, "Delete in an emergency").click();
  await page.getByLabel(/Issue a replacement/).uncheck();
  await button(page, "Yes, delete it now").click();
  await page.getByText("A rotation is under way").waitFor({ state: "detached" });
}
