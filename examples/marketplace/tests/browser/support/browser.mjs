// The browser, and a journey in it: a test with a page of its own, signed in, that fails on any error of the page.
import assert from "node:assert/strict";
import { test } from "node:test";
import { chromium } from "playwright-core";
import { marketplace, SECRET } from "./marketplace.mjs";

let browser;
const sessions = new Map();

export async function openBrowser() {
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : []; // Chromium has no sandbox for root
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args });
}

export async function closeBrowser() {
  await browser?.close();
}

/**
 * Declares a test. `as` is who is signed in; `options` are those of a browser context, such as `javaScriptEnabled`.
 * `expected` is what the console may say besides answers with an error status.
 */
export function journey(name, { as, ...options }, run) {
  test(name, { timeout: 120_000 }, async () => {
    const context = await open(as, options);
    try {
      await run({ page: await context.newPage(), context, url: marketplace.url });
      assert.deepEqual(context.faults, []);
    } finally {
      await context.close();
    }
  });
}

/** Opens a window of its own, with the session of an account. */
export async function open(as, options = {}) {
  const context = await browser.newContext({ baseURL: marketplace.url, reducedMotion: "reduce", ...options });
  context.setDefaultTimeout(10_000);
  context.faults = [];
  context.on("weberror", (error) => context.faults.push(`${error.error()}`));
  context.on("console", (message) => {
    const said = message.text();
    if (message.type() === "error" && !said.startsWith("Failed to load resource")) context.faults.push(said);
  });
  context.on("request", (request) => {
    if (SECRET.test(request.url())) context.faults.push("a client secret is in an address");
  });
  if (as) await context.addCookies(await session(as));
  return context;
}

/** Signs in once for each account: sign-ins are limited. */
async function session(as) {
  if (!sessions.has(as)) {
    const context = await browser.newContext({ baseURL: marketplace.url });
    const page = await context.newPage();
    await page.goto("/sign-in");
    await page.getByLabel("Name").fill(as);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.waitForURL(/\/(clients|operator)/);
    sessions.set(as, await context.cookies());
    await context.close();
  }
  return sessions.get(as);
}

/** Forgets the sessions that were made, as after a sign-out. */
export function forgetSession(as) {
  sessions.delete(as);
}
